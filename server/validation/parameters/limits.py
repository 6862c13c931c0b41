"""The parameters table as attributes, for the loops over trees. Units stand in the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """One attribute for each line of the table: `T02,min_cm` is `t02_min_cm`."""

    t01_all_missing: float
    t02_min_cm: float
    t02_slack_cm: float
    t03_max_cm: float
    t04_factor: float
    t04_margin_cm: float
    t04_margin_m: float
    t04_min_trees: float
    t05_min_trees: float
    t05_outlier_factor: float
    t05_core_share: float
    t06_min_pairs: float
    t06_core_z: float
    t06_spread_cm_yr: float
    t06_rate_cm_yr: float
    t06_rate_spread_cm_yr: float
    t06_cap_share: float
    t07_share: float
    t07_min_trees: float
    t08_coarse_share: float
    t08_min_trees: float
    t08_chance_z: float
    t08_decimals_share: float
    t10_gap: float
    t10_per_plot_factor: float
    t12_tolerance_cm: float
    t13_apart_m: float
    t14_warn_m: float
    t14_error_m: float
    t15_usual_m: float
    t15_most_m: float
    h01_min_m: float
    h01_warn_m: float
    h01_max_m: float
    h02_min: float
    h02_max: float
    h02_min_dbh_cm: float
    x01_sigma_slope: float
    x01_sigma_cm: float
    x01_sigmas: float
    x01_share: float
    x02_factor: float
    x02_tolerance_cm: float
    x02_tolerance_share: float
    x02_large_cm: float
    x03_steps: float
    x03_error_steps: float
    x03_own_share: float
    x03_up_weight: float
    x04_cap_cm_yr: float
    x04_warn_cm_yr: float
    x04_thinned_factor: float
    x04_years_unknown: float
    x05_low: float
    x05_high: float
    x05_small_cm: float
    x05_min_change_cm: float
    x06_share: float
    x06_share_long: float
    x06_long_years: float
    x06_min_years: float
    x06_min_pairs: float
    x07_many: float
    x07_many_share: float
    x10_growth_cm_yr: float
    x10_slack_cm: float
    x10_error_cm: float
    x11_min_trees: float
    x13_shift_m: float
    x14_use_share: float
    x14_alert_m: float
    x14_taper_share: float
    x15_mortality_yr: float
    x15_ingrowth_yr: float
    x15_min_trees: float
    x15_min_changed: float
    x04_cap_by_group: Mapping[str, float]
