"""What a crew answers on each form of the library, as scripts for the engines."""

from __future__ import annotations

VISIT = {
    "/data/visit/plot_id": "PS-014",
    "/data/visit/census": "2026",
    "/data/visit/crew": "一队",
    "/data/visit/surveyor": "张三",
    "/data/visit/measured_on": "2026-06-03",
    "/data/position": "36.2 113.44 1204.5 4.2",
}
FACTORS = {
    "/data/factors/land_type": "111",
    "/data/factors/origin": "2",
    "/data/factors/dominant_species": "pinus_tabuliformis",
    "/data/factors/age_group": "2",
    "/data/factors/mean_age": "34",
    "/data/factors/canopy_cover": "0.65",
    "/data/terrain/elevation_m": "1204",
    "/data/terrain/slope_deg": "18.5",
    "/data/terrain/aspect": "4",
    "/data/terrain/slope_position": "3",
    "/data/disturbance": "insects snow",
}
CORNERS = {
    "/data/corners_measured": "yes",
    "/data/corners/corner[1]/post/corner_number": "SW",
    "/data/corners/corner[1]/post/corner_position": "36.2001 113.4401 1204 3",
    "/data/corners/corner[2]/post/corner_number": "NE",
}
BOUNDARY = {"/data/boundary/perimeter_m": "103.4", "/data/boundary/closure_m": "0.2"}
PHOTOS = {
    "/data/photos/photo_plot": "plot.jpg",
    "/data/photos/photo_north": "north.jpg",
    "/data/photos/photo_centre": "centre.jpg",
}
THINNING = {
    "/data/where/parcel_id": "03-012",
    "/data/where/plot_ids": "PS-014 PS-015",
    "/data/what/felled_on": "2026-03-20",
    "/data/what/method": "thinning",
    "/data/what/area_ha": "2.4",
    "/data/what/trees_cut": "310",
    "/data/what/volume_m3": "18.6",
    "/data/what/intensity_pct": "17.5",
    "/data/what/permit": "平林采字 2026-31",
    "/data/thinning_photo": "after.jpg",
}


def tree(position: int, **answers: str) -> dict[str, str]:
    """The answers for one tree of the tally, by the names of its questions."""
    return {f"/data/trees/tree[{position}]/stem/{name}": text for name, text in answers.items()}


TREES = {
    **tree(1, tag="1", species="pinus_tabuliformis", dbh_cm="14.3", azimuth_deg="31", distance_m="4.2"),
    **tree(2, tag="2", species="pinus_tabuliformis", tally_code="14"),
    **tree(
        3, tag="3", stem_id="2", species="quercus_variabilis", dbh_cm="9", height_m="7.5", tree_note="萌生"
    ),
}
"""A living tree, one that was cut and so has no diameter, and a second stem."""


def again(position: int, **answers: str) -> dict[str, str]:
    """The answers for one tree of the last census on a remeasurement, by the names of its questions."""
    return {f"/data/known/tree[{position}]/stem/{name}": text for name, text in answers.items()}


def found(position: int, **answers: str) -> dict[str, str]:
    """The answers for one tree that was not on the list, by the names of its questions without `new_`."""
    group = f"/data/new_trees/new_tree[{position}]/new_stem"
    return {f"{group}/new_{name}": text for name, text in answers.items()}
