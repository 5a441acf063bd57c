"""The business functions, each a plugin like any vendor's: they know ``appliance.plugin_api`` only.

::

    update          更新      a municipality's change; rules.py is the state machine of 異動事由
    search          検索      by four informations: the list, then the detail
    provision       提供・移転 answer another office, within its 事務
    national_relay  機構      what the national server must be told, in order
    roster          操作者名簿・端末管理簿
    ledger          操作履歴   who did what, who looked at whom, and proofs
"""
