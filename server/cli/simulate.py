"""`yangdi simulate`: a load of plots from simulated phones, through the real door or into a folder."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click

import forms
from forms.compile import compile_form
from forms.errors import FormInvalid
from server.demo.campaign import load_visits
from server.demo.instance import Renderer
from server.demo.phone import NotSent
from server.demo.run import VISIT_FORM, OnDemand, Prepared, fetch_renderer
from server.demo.sending import Progress, send_all

LIBRARY_FORM = Path(forms.__file__).parent / "library" / f"{VISIT_FORM}.md"
DEVICE = "yangdi:simulated"
EVERY_S = 0.5
"""s between two lines of progress."""


@click.command()
@click.option("--plots", type=click.IntRange(1), default=100, show_default=True, help="Plots to send.")
@click.option("--trees", type=click.IntRange(1, 2000), default=50, show_default=True, help="Trees in each.")
@click.option(
    "--photos", type=click.IntRange(0, 3), default=0, show_default=True, help="Photos of each plot."
)
@click.option(
    "--seed", type=int, default=None, help="Same seed, same plots and ids; else new ones each time."
)
@click.option("--to", "address", help="Where to, with the key: http://host/v1/key/KEY/projects/1.")
@click.option("--connections", type=click.IntRange(1, 256), default=8, show_default=True,
              help="Phones that send at the same time.")  # fmt: skip
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Write files there, send nothing."
)
@click.option("--form", "form_path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="With --out: the XLSForm to fill in; else our plot_visit.")  # fmt: skip
def simulate(
    plots: int, trees: int, photos: int, seed: int | None, address: str | None, connections: int,
    out: Path | None, form_path: Path | None,
) -> None:  # fmt: skip
    """Send made-up plots to a server as phones would, and say how fast it took them.

    The form is the server's own plot_visit. Everything is made before the clock starts: about 4 ms a plot of
    50 trees, and 12 ms a photo. Prints the rate, how long instances took, and what was answered.
    """
    if (address is None) == (out is None):
        raise click.UsageError("say where to: either --to ADDRESS or --out FOLDER")
    seed = time.time_ns() if seed is None else seed
    if out is not None:
        _write(out, _instances(_compiled(form_path or LIBRARY_FORM), seed, plots, trees, photos))
    elif address is not None:
        _send(address, seed, plots, trees, photos, connections)


def _compiled(path: Path) -> Renderer:
    try:
        return Renderer(compile_form(path).form)
    except FormInvalid as error:
        raise click.ClickException(str(error)) from error


def _instances(renderer: Renderer, seed: int, plots: int, trees: int, photos: int) -> Iterator[OnDemand]:
    for visit in load_visits(seed, plots, trees, photos):
        yield OnDemand(visit, renderer, DEVICE)


def _write(folder: Path, instances: Iterator[OnDemand]) -> None:
    """A folder for each instance, as Collect keeps them: submission.xml with its photos beside it."""
    count = 0
    for instance in instances:
        place = folder / instance.filling.instance_name.replace(" / ", "_")
        place.mkdir(parents=True, exist_ok=True)
        (place / "submission.xml").write_bytes(instance.xml())
        for name, content in instance.files().items():
            (place / name).write_bytes(content)
        count += 1
    click.echo(f"{count} instances in {folder}", err=True)


def _send(address: str, seed: int, plots: int, trees: int, photos: int, connections: int) -> None:
    try:
        renderer = fetch_renderer(address, VISIT_FORM)
    except KeyError:
        raise click.ClickException(f"the server has no form {VISIT_FORM}: publish it first") from None
    except (NotSent, ValueError) as error:
        raise click.ClickException(str(error)) from error
    started = time.perf_counter()
    made = [Prepared.of(instance) for instance in _instances(renderer, seed, plots, trees, photos)]
    click.echo(f"{len(made)} plots made in {time.perf_counter() - started:.1f} s; sending", err=True)
    sending = send_all({address: made}, connections_each=connections, progress=_progress())
    click.echo(sending.summary())
    for message, count in sending.messages.most_common(5):
        click.echo(f"{count} × {message}", err=True)
    if sending.failed:
        sys.exit(1)


def _progress() -> Progress:
    """Lines on stderr, a few a second."""
    told_at = time.monotonic()

    def tell(sent: int, total: int) -> None:
        nonlocal told_at
        if sent == total or time.monotonic() - told_at > EVERY_S:
            told_at = time.monotonic()
            click.echo(f"{sent}/{total}", err=True)

    return tell
