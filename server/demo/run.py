"""Sends what the simulated crews measured through the door that real phones use, with the form it hands
out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from server.demo.campaign import Campaign, audit_visits
from server.demo.instance import Renderer, Rows
from server.demo.phone import Phone
from server.demo.sending import Progress, Sending, send_all

VISIT_FORM, AUDIT_FORM, THINNING_FORM = "plot_visit", "audit_visit", "thinning_record"


class Filling(Protocol):
    """What a form can be filled in with: a visit or a thinning."""

    @property
    def instance_id(self) -> str: ...
    @property
    def instance_name(self) -> str: ...
    def files(self) -> dict[str, bytes]: ...
    def rows(self) -> Rows: ...


@dataclass(frozen=True, slots=True)
class OnDemand:
    """An instance that is filled in, and its photos drawn, when it is its turn to be sent."""

    filling: Filling
    renderer: Renderer
    device_id: str

    def xml(self) -> bytes:
        what = self.filling
        named = {"deviceid": self.device_id}
        return self.renderer.render(
            what.rows(), what.instance_id, named=named, instance_name=what.instance_name
        )

    def files(self) -> dict[str, bytes]:
        return self.filling.files()


@dataclass(frozen=True, slots=True)
class Prepared:
    """An instance that was made beforehand, so that making it takes no time from the server under test."""

    content: bytes
    photos: Mapping[str, bytes]

    @classmethod
    def of(cls, instance: OnDemand) -> Prepared:
        return cls(instance.xml(), instance.files())

    def xml(self) -> bytes:
        return self.content

    def files(self) -> Mapping[str, bytes]:
        return self.photos


def send_census(
    base_url: str,
    project_id: int,
    token_by_crew: Mapping[str, str],
    campaign: Campaign,
    census: str,
    *,
    connections_each: int = 1,
    progress: Progress | None = None,
) -> Sending:
    """Send all visits of a census in the order of their days, each from a phone of its crew.

    `base_url` is http://host:port without a path. Crews send at the same time, each from `connections_each`
    phones. Raises NotSent where the form cannot be fetched, KeyError for a crew without a token and for a
    server without the form.
    """
    doors = {crew: door(base_url, project_id, token) for crew, token in token_by_crew.items()}
    renderer = fetch_renderer(next(iter(doors.values())), VISIT_FORM)
    work: dict[str, list[OnDemand]] = {address: [] for address in doors.values()}
    for visit in campaign.visits_of(census):
        work[doors[visit.crew]].append(OnDemand(visit, renderer, f"yangdi:{visit.crew}"))
    return send_all(work, connections_each=connections_each, progress=progress)


def send_thinnings(base_url: str, project_id: int, token: str, campaign: Campaign) -> Sending:
    """Send the thinning records from one phone. Raises as `send_census`."""
    address = door(base_url, project_id, token)
    renderer = fetch_renderer(address, THINNING_FORM)
    return send_all({address: on_demand(campaign.thinnings, renderer, "yangdi:farm")})


def send_audits(
    base_url: str, project_id: int, token: str, campaign: Campaign, plot_ids: Iterable[str]
) -> Sending:
    """Send audit visits of these plots from the auditors' phone. Raises as `send_census`."""
    address = door(base_url, project_id, token)
    renderer = fetch_renderer(address, AUDIT_FORM)
    auditors = f"yangdi:{campaign.county.auditors.name}"
    return send_all({address: on_demand(audit_visits(campaign, plot_ids), renderer, auditors)})


def on_demand(fillings: Iterable[Filling], renderer: Renderer, device_id: str) -> list[OnDemand]:
    """Instances of one phone."""
    return [OnDemand(filling, renderer, device_id) for filling in fillings]


def fetch_renderer(address: str, form_id: str) -> Renderer:
    """What fills in the form that the server behind a door hands out. Raises NotSent; KeyError: no such
    form."""
    with Phone(address) as phone:
        return Renderer(phone.form(form_id))


def door(base_url: str, project_id: int, token: str) -> str:
    """The address that is in a phone's QR code."""
    return f"{base_url.rstrip('/')}/v1/key/{token}/projects/{project_id}"
