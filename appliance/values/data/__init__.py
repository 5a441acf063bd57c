"""Tables the appliance reads; ``NOTICE.md`` says where they come from and under which licence."""
