"""States of screens, and how one gets there; what stands in the menu is pictured besides."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from scripts.demo.cast import Cast
from scripts.demo.people import (
    ADMINISTRATOR,
    AUDITOR,
    CLERK,
    MEDIA,
    REGISTRAR,
    TAX,
    Person,
)
from scripts.screenshots_lib.camera import Camera

FIND, CASES = "/screens/search/find", "/screens/disclosure/cases"
PDF_SECONDS = 2.0
"""A viewer takes a moment to draw."""
NOBODY = "存在　せぬ男"


@dataclass(frozen=True)
class Scene:
    """One picture: its name, who sits there, and what he does before it is taken."""

    name: str
    person: Person
    plays: Callable[[Camera, Cast], None]


def _searching(camera: Camera, **fields: str) -> None:
    camera.goes(FIND)
    camera.fills(ground="first", case="2026-0001", **fields)
    camera.presses("検索")


def _found(camera: Camera, cast: Cast) -> None:
    _searching(camera, name=cast.minoru[0].name)


def _nobody(camera: Camera, cast: Cast) -> None:
    _searching(camera, name=NOBODY)


def _too_many(camera: Camera, cast: Cast) -> None:
    _searching(camera, address=cast.home[0].address)


def _wrong(camera: Camera, cast: Cast) -> None:
    camera.goes(FIND)
    camera.fills(ground="first", case="2026-0001", name=NOBODY, birth_date="昭和70年13月40日")
    camera.presses("検索")


def _opened(camera: Camera, cast: Cast) -> None:
    _searching(camera, name=cast.sawako.name)
    camera.presses("詳細")


def _denied(camera: Camera, cast: Cast) -> None:
    camera.goes("/screens/watching/uses")


def _case(camera: Camera, cast: Cast) -> None:
    camera.goes(CASES)
    camera.presses("開く")


def _asked_for(camera: Camera, cast: Cast) -> None:
    camera.goes("/screens/provision/inquire")
    camera.fills(ground="first", case="2026-0002")
    camera.ticks(key="my_number")
    camera.presses("次へ")


def _provided(camera: Camera, cast: Cast) -> None:
    _asked_for(camera, cast)
    camera.fills(my_number=cast.sawako.my_number)
    for item in ("name", "birth_date", "address"):
        camera.ticks(items=item)
    camera.presses("照会する")


def _bulk(camera: Camera, cast: Cast) -> None:
    camera.goes("/screens/provision/bulk")
    camera.fills(ground="first", case="2026-0003")
    camera.presses("申請の一覧へ")


def _all_jobs(camera: Camera, cast: Cast) -> None:
    _bulk(camera, cast)
    camera.fills(which="すべて")
    camera.presses("表示")


def _bulk_job(camera: Camera, cast: Cast) -> None:
    _all_jobs(camera, cast)
    camera.presses("開く")


def _bulk_new(camera: Camera, cast: Cast) -> None:
    _bulk(camera, cast)
    camera.presses("新しく申請する")


def _looked_at(camera: Camera, cast: Cast) -> None:
    """Receive a request, match it, and look at the paper."""
    camera.goes("/screens/disclosure/receive")
    who = cast.sawako
    camera.fills(name=who.name, birth_date=who.birth_date, address=who.address, stamps_yen="10")
    camera.ticks(sex=who.sex, identity="passport")
    camera.presses("受け付ける")
    camera.presses("突合")
    camera.shoot("disclosure-matched")
    camera.presses("見本を表示")
    time.sleep(PDF_SECONDS)


def _issued(camera: Camera, cast: Cast) -> None:
    _looked_at(camera, cast)
    camera.presses("発行")
    time.sleep(PDF_SECONDS)


def _first_of(path: str) -> Callable[[Camera, Cast], None]:
    def opens(camera: Camera, cast: Cast) -> None:
        camera.goes(path)
        camera.presses("開く")

    return opens


def _flags(camera: Camera, cast: Cast) -> None:
    camera.goes("/screens/watching/flags")
    camera.fills(state="すべて")
    camera.presses("表示")


def _flag(camera: Camera, cast: Cast) -> None:
    _flags(camera, cast)
    camera.presses("開く")


def _accesses(camera: Camera, cast: Cast) -> None:
    camera.goes("/screens/ledger/person")
    camera.fills(resident_code=cast.sawako.resident_code)
    camera.presses("表示")


def _locked(camera: Camera, cast: Cast) -> None:
    _found(camera, cast)
    camera.browser.driver.execute_script("document.body.dataset.idle = '1'")
    camera.browser.sees("ロック中")


SCENES = (
    Scene("search-found", CLERK, _found),
    Scene("search-nobody", CLERK, _nobody),
    Scene("search-too-many", CLERK, _too_many),
    Scene("search-wrong", CLERK, _wrong),
    Scene("detail", REGISTRAR, _opened),
    Scene("denied", CLERK, _denied),
    Scene("disclosure-case", REGISTRAR, _case),
    Scene("disclosure-preview", REGISTRAR, _looked_at),
    Scene("disclosure-issued", REGISTRAR, _issued),
    Scene("provision-whom", TAX, _asked_for),
    Scene("provision-inquired", TAX, _provided),
    Scene("provision-bulk-jobs", MEDIA, _all_jobs),
    Scene("provision-bulk-new", MEDIA, _bulk_new),
    Scene("provision-bulk-job", MEDIA, _bulk_job),
    Scene("ledger-entry", AUDITOR, _first_of("/screens/ledger/operations")),
    Scene("ledger-accesses", AUDITOR, _accesses),
    Scene("usebook-month", AUDITOR, _first_of("/screens/usebook/matching")),
    Scene("watching-flags-all", AUDITOR, _flags),
    Scene("watching-flag", AUDITOR, _flag),
    Scene("roster-person", ADMINISTRATOR, _first_of("/screens/roster/people")),
    Scene("roster-operator", ADMINISTRATOR, _first_of("/screens/roster/operators")),
    Scene("roster-terminal", ADMINISTRATOR, _first_of("/screens/roster/terminals")),
    Scene("locked", CLERK, _locked),
)
