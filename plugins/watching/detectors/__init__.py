"""The detectors, each in a module of its own; what each is, is in ``plugins/watching/findings.py``.

A detector asks nobody and stops nothing: it draws attention to what a person then decides.
"""

from collections.abc import Callable, Mapping
from typing import Any

from appliance.plugin_api import thresholds
from plugins.watching.detectors.canary import Canary
from plugins.watching.detectors.failed_logins import FailedLogins
from plugins.watching.detectors.looked_only import LookedOnly
from plugins.watching.detectors.name_fishing import NameFishing
from plugins.watching.detectors.out_of_hours import OutOfHours
from plugins.watching.detectors.overlap import Overlap
from plugins.watching.detectors.own_name import OwnName
from plugins.watching.detectors.seen_by_many import SeenByMany
from plugins.watching.detectors.volume import Volume
from plugins.watching.findings import Detector
from plugins.watching.hours import Hours

Rules = thresholds.Thresholds

MAKERS: Mapping[str, Callable[[Rules], Detector[Any]]] = {
    SeenByMany.name: lambda rules: SeenByMany(rules.seen_by_many),
    LookedOnly.name: lambda rules: LookedOnly(rules.looked_only),
    OutOfHours.name: lambda rules: OutOfHours(rules.out_of_hours, Hours(rules.hours)),
    Volume.name: lambda rules: Volume(rules.volume, Hours(rules.hours)),
    OwnName.name: lambda rules: OwnName(rules.own_name),
    NameFishing.name: lambda rules: NameFishing(rules.name_fishing),
    Overlap.name: lambda rules: Overlap(rules.overlap),
    FailedLogins.name: lambda rules: FailedLogins(rules.failed_logins),
    Canary.name: lambda rules: Canary(rules.canary),
}
"""Every detector, by its name in flags."""
AT_ONCE = (Canary.name, FailedLogins.name)
"""Whose flags must not wait for the night."""
NIGHTLY = tuple(name for name in MAKERS if name not in AT_ONCE)
