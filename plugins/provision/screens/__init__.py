"""提供・移転 at a terminal: one person at once, a file of many, and what was provided."""

from plugins.provision.screens import bulk, inquire, outputs, report, verify, yearly

SCREENS = [
    *inquire.SCREENS,
    *verify.SCREENS,
    *bulk.SCREENS,
    *outputs.SCREENS,
    *report.SCREENS,
    *yearly.SCREENS,
]
