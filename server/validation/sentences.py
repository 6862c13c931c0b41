"""What a person reads about a flag, in Chinese and English, for each rule and case.

In braces stand the flag's tag, value and bounds (`low`, `high`) and its facts. A sentence says what is odd, then
what to do.
"""

# a sentence is easier to read, to translate and to search for in one piece
# ruff: noqa: E501

from __future__ import annotations

SUGGESTION = ("可能是 {}？", " Perhaps {}?")
"""Added where the flag has a suggestion."""

LAST_ODD = (
    "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，更早一期 {older_cm} cm：可能是上期量错。请复测；若属实，检尺类型填 18。",
    "Tree {tag}: {value} cm, last time {before_cm} cm, before that {older_cm} cm: last time's may be wrong. Please measure again; if so, use tally code 18.",
)

SENTENCES: dict[str, dict[str, tuple[str, str]]] = {
    "T01": {
        "missing": ("样木 {tag} 是活立木，没有胸径。请补测。", "Tree {tag} is alive and has no diameter. Please measure it."),
        "none": (
            "这次调查的 {trees} 株活立木都没有胸径。请补测，或查明数据是否传全。",
            "None of the {trees} living trees has a diameter. Measure them, or find out what was lost on the way.",
        ),
        "zero": ("样木 {tag} 胸径是 {value}。请复测。", "Tree {tag} has a diameter of {value}. Please measure it again."),
    },
    "T02": {
        "": (
            "样木 {tag} 胸径 {value} cm，小于起测径阶 {min_cm} cm。请核对，不够起测的不计入。",
            "Tree {tag}: {value} cm is below the tally limit of {min_cm} cm. Check it; leave it out if it is that small.",
        ),
        "known": (
            "样木 {tag} 胸径 {value} cm，小于起测径阶 {min_cm} cm，但上期已检尺。请复测。",
            "Tree {tag}: {value} cm is below the tally limit of {min_cm} cm, yet it was tallied last time. Please measure again.",
        ),
    },
    "T03": {
        "": (
            "样木 {tag} 胸径 {value} cm，超过 {max_cm} cm。请复测，并拍下卷尺照片。",
            "Tree {tag}: {value} cm is more than {max_cm} cm. Measure again and take a photo of the tape.",
        ),
        "veteran": (
            "样木 {tag} 胸径 {value} cm，上期也超过 {max_cm} cm。请拍下卷尺照片留证。",
            "Tree {tag}: {value} cm, above {max_cm} cm as last time. Keep a photo of the tape as proof.",
        ),
    },
    "T04": {
        "dbh_cm": (
            "样木 {tag}（{species}）胸径 {value} cm，大于本地该树种已认可数据的上限 {most} cm。请先核对树种，再复测。",
            "Tree {tag} ({species}): {value} cm is above {most} cm, the most that accepted data of the species support here. Check the species, then measure again.",
        ),
        "height_m": (
            "样木 {tag}（{species}）树高 {value} m，大于本地该树种已认可数据的上限 {most} m。请先核对树种，再复测。",
            "Tree {tag} ({species}): {value} m is above {most} m, the most that accepted data of the species support here. Check the species, then measure again.",
        ),
    },
    "T05": {
        "decimal": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，像是小数点错位。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; the decimal point seems to have moved. Please measure again.",
        ),
        "girth": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，像是把围径填成了胸径。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; this looks like the girth. Please measure again.",
        ),
        "inch": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，像是读了英寸刻度。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; the tape may have been read in inches. Please measure again.",
        ),
        "alone": (
            "样木 {tag}（{species}）胸径 {value} cm，与样地内其他 {plot_trees} 株（多在 {low}–{high} cm）相差太大，像是小数点或单位错误。请复测。",
            "Tree {tag} ({species}): {value} cm is far from the other {plot_trees} in the plot (mostly {low}–{high} cm); a decimal or unit slip? Please measure again.",
        ),
        "before": LAST_ODD,
    },
    "T06": {
        "tens": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，生长偏快，十位数可能看错。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; fast for this plot, perhaps the tens digit is wrong. Please measure again.",
        ),
        "": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，生长偏快，可能录入有误。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; fast for this plot, perhaps a typing slip. Please measure again.",
        ),
        "before": LAST_ODD,
    },
    "T07": {
        "": (
            "样地 {plot_trees} 株中有 {plot_fits} 株的胸径除以 π 才合理，可能把围径填成了胸径。请查明所用卷尺，整块样地核对。",
            "{plot_fits} of {plot_trees} trees make sense only when their diameter is divided by π: girths, it seems. Find out which tape was used and check the whole plot.",
        ),
    },
    "T08": {
        "coarse": (
            "{plot_trees} 株中有 {plot_count} 株读到整厘米或半厘米，比正常多。请读到 0.1 cm。",
            "{plot_count} of {plot_trees} diameters end in a whole or half centimetre, more than chance gives. Read the tape to 0.1 cm.",
        ),
        "fine": (
            "{plot_trees} 株中有 {plot_count} 株胸径超过一位小数，可能经过换算。请核对单位。",
            "{plot_count} of {plot_trees} diameters have more than one decimal; were they converted? Check the unit.",
        ),
    },
    "T09": {
        "": (
            "第 {plot_row} 行的样木号 {tag} 与第 {plot_first} 行重复。请核对标牌，改号或补分株号。",
            "Row {plot_row} has tag {tag}, as row {plot_first} has. Read the tag again; renumber it or give the stem its number.",
        ),
    },
    "T10": {
        "blank": ("第 {plot_row} 行没有样木号。请补填。", "Row {plot_row} has no tag. Please fill it in."),
        "format": (
            "样木号 {tag} 不是数字，与其他样木不同。请核对标牌。",
            "Tag {tag} is not a number as the others are. Read the tag again.",
        ),
        "gap": (
            "样木号 {tag} 比已有的最大号 {plot_largest} 大出很多。请核对标牌。",
            "Tag {tag} is far above {plot_largest}, the largest of the others. Read the tag again.",
        ),
    },
    "T11": {
        "unlisted": (
            "样木 {tag} 的树种“{value}”不在树种名录里。请改为名录中的代码。",
            "Tree {tag}: species “{value}” is not in the list. Use a code of the list.",
        ),
        "blank": ("样木 {tag} 没有树种。请补填。", "Tree {tag} has no species. Please fill it in."),
        "none": ("这次调查的 {trees} 株活立木都没有树种。请补填。", "None of the {trees} living trees has a species. Please fill them in."),
        "mixed": (
            "样木 {tag} 的树种是 {value}，同一株的另一分株是 {other}。请核对。",
            "Tree {tag} is {value}, another stem of it is {other}. Please check.",
        ),
    },
    "T12": {
        "": (
            "样木 {tag} 已死亡或采伐，胸径 {value} cm 却与上期 {before_cm} cm 不同。请核对检尺类型和胸径。",
            "Tree {tag} is dead or cut, yet {value} cm differs from {before_cm} cm last time. Check its tally code and diameter.",
        ),
    },
    "T13": {
        "": (
            "样木 {tag} 的分株相距 {apart_m} m（一般不超过 {most_m} m）。请核对样木号和位置。",
            "Stems of tree {tag} stand {apart_m} m apart (usually at most {most_m} m). Check tag and position.",
        ),
    },
    "T14": {
        "": (
            "样木 {tag} 的位置（{value}）在样地边界外 {outside_m} m。请重测方位和距离。",
            "Tree {tag} at ({value}) is {outside_m} m outside the plot. Measure azimuth and distance again.",
        ),
    },
    "T15": {
        "": (
            "样木 {tag} 的测量高是 {value} m，不是 {usual_m} m。请注明原因。",
            "Tree {tag} was measured at {value} m, not at {usual_m} m. Note why.",
        ),
        "impossible": (
            "样木 {tag} 的测量高 {value} m 不可能。请改正。",
            "Tree {tag}: a point of measurement at {value} m is not possible. Please correct it.",
        ),
    },
    "H01": {
        "": (
            "样木 {tag} 树高 {value} m，应在 {low} 到 {high} m 之间。请复测。",
            "Tree {tag}: height {value} m should be between {low} and {high} m. Please measure again.",
        ),
        "tall": (
            "样木 {tag} 树高 {value} m，超过 {warn_m} m，少见。请复测。",
            "Tree {tag}: height {value} m is above {warn_m} m, which is rare. Please measure again.",
        ),
    },
    "H02": {
        "": (
            "样木 {tag} 树高 {value} m、胸径 {dbh_cm} cm，高径比异常（树高一般 {low}–{high} m）。断梢请注明，否则复测。",
            "Tree {tag}: {value} m at {dbh_cm} cm is an odd shape (usually {low}–{high} m). Note a broken top, else measure again.",
        ),
    },
    "X01": {
        "": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，明显变小。请复测；若上期量错，检尺类型填 18。",
            "Tree {tag}: {value} cm, last time {before_cm} cm: it shrank. Please measure again; if last time was wrong, use tally code 18.",
        ),
        "before": LAST_ODD,
    },
    "X02": {
        "": (
            "样木 {tag} 胸径 {value} cm，比上期 {before_cm} cm 略小，超出量测误差。请确认。",
            "Tree {tag}: {value} cm is a little less than {before_cm} cm last time, more than tapes differ. Please confirm.",
        ),
        "before": LAST_ODD,
    },
    "X03": {
        "": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，{years} 年生长偏快（这里一般到 {high} cm）。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm: fast for {years} years (here usually up to {high} cm). Please measure again.",
        ),
        "before": LAST_ODD,
    },
    "X04": {
        "": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，{years} 年生长过大（一般到 {high} cm）。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm: too much growth in {years} years (usually up to {high} cm). Please measure again.",
        ),
        "before": LAST_ODD,
    },
    "X05": {
        "": (
            "样木 {tag} 胸径 {value} cm，是上期 {before_cm} cm 的 {ratio} 倍。请复测。",
            "Tree {tag}: {value} cm is {ratio} times last time's {before_cm} cm. Please measure again.",
        ),
        "before": LAST_ODD,
    },
    "X06": {
        "": (
            "{plot_pairs} 株中有 {plot_same} 株的胸径与上期完全相同，可能照抄了上期数据。请安排复查。",
            "{plot_same} of {plot_pairs} diameters are exactly last time's: copied, perhaps. Please have the plot visited again.",
        ),
    },
    "X07": {
        "": (
            "样木 {tag}（{species}）上期是活立木，这次没有记录。请补填检尺类型或补测。",
            "Tree {tag} ({species}) lived last time and has no row now. Give its tally code or measure it.",
        ),
        "unknown": (
            "样木 {tag} 上期是活立木，这次去向不明。请找到它，或填写检尺类型。",
            "Tree {tag} lived last time and its fate is not known now. Find it, or give its tally code.",
        ),
        "many": (
            "上期 {lived} 株活立木中有 {absent} 株这次没有记录，调查可能没有做完。请补全。",
            "{absent} of {lived} trees that lived last time have no row: the visit may be unfinished. Please complete it.",
        ),
    },
    "X08": {
        "": (
            "样木 {tag} 上期检尺类型是 {before}（已死亡、采伐或多测），这次是活立木。请核对；若上期有误，检尺类型填 20。",
            "Tree {tag} had tally code {before} (dead, cut or over-counted) and lives now. Check it; if last time was wrong, use tally code 20.",
        ),
        "said": (
            "样木 {tag} 上期检尺类型是 {before}，调查队确认它还活着。请改正上期记录。",
            "Tree {tag} had tally code {before} and the crew says that it lives. Correct last time's code.",
        ),
    },
    "X09": {
        "": (
            "样木 {tag} 树种 {value}，上期是 {before}。请看照片核对；若上期有误，检尺类型填 19。",
            "Tree {tag} is {value} and was {before} last time. Check with a photo; if last time was wrong, use tally code 19.",
        ),
    },
    "X10": {
        "": (
            "样木 {tag} 是新增样木，胸径 {value} cm 太大（{years} 年内进界一般不超过 {high} cm）。请核对是否漏测（检尺类型 16）。",
            "Tree {tag} is new and {value} cm is too large for {years} years (usually up to {high} cm). Was it missed last time (tally code 16)?",
        ),
    },
    "X11": {
        "dbh": (
            "这块样地有 {trees} 株填了“胸径错测”（18）。请检查两期的量测。",
            "{trees} trees here say that last time's diameter was wrong (18). Check both crews' work.",
        ),
        "count": (
            "这块样地有 {trees} 株填了“漏测”或“多测”（16、17）。请检查样地边界和两期的检尺。",
            "{trees} trees here were missed or over-counted last time (16, 17). Check the boundary and both crews' work.",
        ),
    },
    "X12": {
        "": (
            "样木号 {tag} 以前已记为死亡、采伐或多测（{before}），这次又出现。请核对标牌；若确实存活，检尺类型填 20。",
            "Tag {tag} was dead, cut or over-counted before ({before}) and is back. Read the tag again; if the tree lives, use tally code 20.",
        ),
        "new": (
            "样木 {tag} 填为进界木，但这个号以前已用过。请核对标牌，换一个新号，或改检尺类型。",
            "Tree {tag} is called ingrowth, but the tag was used before. Read the tag again, give a new one, or change the tally code.",
        ),
    },
    "X13": {
        "moved": (
            "样木 {tag} 的位置（{value}）比上期移动了 {moved_m} m。请核对样木号和位置。",
            "Tree {tag} at ({value}) is {moved_m} m from where it stood. Check tag and position.",
        ),
        "swap": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，像是与样木 {other} 互换了。请两株都复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; exchanged with tree {other}, it seems. Please measure both again.",
        ),
        "before": LAST_ODD,
    },
    "X14": {
        "": (
            "样木 {tag} 的测量高 {value} m，上期 {before_m} m。请在两个高度各量一次。",
            "Tree {tag} was measured at {value} m, last time at {before_m} m. Measure at both heights once.",
        ),
    },
    "X15": {
        "mortality": (
            "{years} 年内 {lived} 株中死亡 {trees} 株，每年 {rate_pct}%（一般不超过 {most_pct}%），没有间伐或灾害记录。请核实。",
            "{trees} of {lived} trees died in {years} years, {rate_pct} % a year (usually at most {most_pct} %), and no thinning or disaster is on record. Please check.",
        ),
        "ingrowth": (
            "{years} 年内新增 {trees} 株（上期 {lived} 株），每年 {rate_pct}%（一般不超过 {most_pct}%）。请核实样地边界。",
            "{trees} new trees beside {lived} in {years} years, {rate_pct} % a year (usually at most {most_pct} %). Check the boundary.",
        ),
    },
    "X16": {
        "stumps": (
            "有 {trees} 株采伐木（{tags}），但没有间伐记录。请补间伐记录或核对检尺类型。",
            "{trees} trees were cut ({tags}) and no thinning is on record. Add the thinning or check the tally codes.",
        ),
        "record": (
            "有间伐记录，但样地里没有采伐木。请核对间伐涉及的样地。",
            "A thinning is on record, but no tree here was cut. Check which plots it touched.",
        ),
    },
    "C01": {
        "": (
            "{trees} 个胸径中末位是 0 或 5 的占 {share_pct}%（95% 区间 {low_pct}–{high_pct}%；正常调查队不超过 {honest_pct}%，χ² = {chi2}，V = {cramer_v}）。请检查卷尺，读到 0.1 cm。",
            "{share_pct} % of {trees} diameters end in 0 or 5 (interval {low_pct}–{high_pct} %; honest crews up to {honest_pct} %; χ² = {chi2}, V = {cramer_v}). Look at the tape; read to 0.1 cm.",
        ),
        "whole": (
            "{trees} 个胸径中末位是 0 或 5 的占 {share_pct}%（95% 区间 {low_pct}–{high_pct}%；正常不超过 {honest_pct}%），多为整厘米。请读到 0.1 cm。",
            "{share_pct} % of {trees} diameters end in 0 or 5 (interval {low_pct}–{high_pct} %; honest crews up to {honest_pct} %), mostly whole centimetres. Read the tape to 0.1 cm.",
        ),
    },
    "C02": {
        "": (
            "{gaps} 个间隔中有 {quick} 个不到 {gap_s} 秒（{share_pct}%），中位数 {median_s} 秒：不像逐株量测。请问明是否由纸质记录补录。",
            "{quick} of {gaps} gaps between trees are below {gap_s} s ({share_pct} %), median {median_s} s: not measured one by one, it seems. Ask whether they were copied from paper.",
        ),
        "rate": (
            "株与株之间的中位间隔 {median_s} 秒，其他调查队 {others_s} 秒（{gaps} 个间隔）。请问明怎样量测。",
            "The median gap between trees is {median_s} s, that of the other crews {others_s} s ({gaps} gaps). Ask how the trees are measured.",
        ),
        "stamped": (
            "{trees} 株中有 {stamped} 株的时间完全相同（导入或整页录入），日志不能说明速度。",
            "{stamped} of {trees} trees have one and the same moment (an import, or one page for all): the log says nothing of speed.",
        ),
    },
    "C03": {
        "speed": (
            "同一手机从样地 {plot} 到 {other} 相距 {apart_km} km，只用 {minutes} 分钟（{speed_km_h} km/h，上限 {limit_km_h}）。请核对时间和照片。",
            "One phone went {apart_km} km from plot {plot} to {other} in {minutes} minutes ({speed_km_h} km/h, at most {limit_km_h}). Check clock and photos.",
        ),
        "overlap": (
            "同一手机同时在样地 {plot} 和 {other} 录入样木，重叠 {minutes} 分钟，两地相距 {apart_km} km。请核对时间和照片。",
            "One phone entered trees at plots {plot} and {other} at the same time, for {minutes} minutes, {apart_km} km apart. Check clock and photos.",
        ),
    },
    "C04": {
        "": (
            "{trees} 株的生长差异只有其他调查队的 {spread_pct}%（最多 {high_pct}%）：过于整齐。请安排不通知的抽查。",
            "Growth of {trees} trees differs only {spread_pct} % as much as for other crews (at most {high_pct} %): too even. Plan an unannounced audit.",
        ),
        "same": (
            "{trees} 株中有 {share_pct}%（{low_pct}–{high_pct}%）的胸径与上期完全相同，其他调查队 {usual_pct}%。可能照抄上期，请抽查。",
            "{share_pct} % of {trees} diameters ({low_pct}–{high_pct} %) are exactly last time's; other crews {usual_pct} %. Copied, perhaps: plan an audit.",
        ),
        "constant": (
            "{trees} 株中有 {share_pct}%（{low_pct}–{high_pct}%）恰好都长了 {growth_cm} cm，其他调查队最多 {usual_pct}%。请抽查。",
            "{share_pct} % of {trees} trees ({low_pct}–{high_pct} %) grew by exactly {growth_cm} cm; other crews at most {usual_pct} %. Plan an audit.",
        ),
    },
    "C05": {
        "more": (
            "与同一碳层其他调查队相比，{plots} 块样地 {trees} 株的胸径偏大 {bias_pct}%（{low_pct}–{high_pct}%，平均 {mean_cm} cm）。请比对卷尺和量测位置。",
            "Beside other crews of the same strata, {trees} trees in {plots} plots read {bias_pct} % more ({low_pct}–{high_pct} %, {mean_cm} cm on average). Compare tapes and where they are put.",
        ),
        "less": (
            "与同一碳层其他调查队相比，{plots} 块样地 {trees} 株的胸径偏小 {bias_pct}%（{low_pct}–{high_pct}%，平均 {mean_cm} cm）。请比对卷尺和量测位置。",
            "Beside other crews of the same strata, {trees} trees in {plots} plots read {bias_pct} % less ({low_pct}–{high_pct} %, {mean_cm} cm on average). Compare tapes and where they are put.",
        ),
    },
    "C06": {
        "": (
            "{visits} 次调查中有 {edits} 次在发送后改动，没有人要求，也没有写原因。请问明。",
            "{edits} of {visits} visits were changed after they were sent, unasked and without a reason. Please ask why.",
        ),
    },
    "Q01": {
        "": (
            "{visits} 次调查中随机抽查了 {drawn} 块，计划 {share_pct}%，即 {wanted} 块。请安排抽查。",
            "{drawn} plots of {visits} visits were drawn at random and audited; the plan is {share_pct} %, that is {wanted}. Plan more audits.",
        ),
    },
    "Q02": {
        "": (
            "随机抽查 {trees} 株，{outside} 株超差，合格的调查队最多 {most} 株（超差 {bad_pct}% 的调查队被发现的机会是 {power_pct}%）。",
            "{outside} of {trees} audited diameters are outside the tolerance; an honest crew has {most} at most (a crew with {bad_pct} % is found {power_pct} times of 100).",
        ),
    },
    "Q03": {
        "more": (
            "抽查 {trees} 株，胸径系统偏大，是允许偏差的 {times} 倍（{low}–{high}）。请校准卷尺。",
            "Over {trees} audited trees the crew reads more, {times} times the bias that is allowed ({low} to {high}). Calibrate its tapes.",
        ),
        "less": (
            "抽查 {trees} 株，胸径系统偏小，是允许偏差的 {times} 倍（{low}–{high}）。请校准卷尺。",
            "Over {trees} audited trees the crew reads less, {times} times the bias that is allowed ({low} to {high}). Calibrate its tapes.",
        ),
    },
    "Q04": {
        "": (
            "抽查发现漏测 {missed} 株、多测 {extra} 株；{trees} 株中树种错 {species} 株、存活状态错 {status} 株。",
            "Audits found {missed} trees missed and {extra} too many; of {trees} trees {species} have another species and {status} another status.",
        ),
    },
    "Q05": {
        "": (
            "{plots} 块抽查样地的生物量合计相差 {off_pct}%（一般不超过 {limit_pct}%）。",
            "Biomass of {plots} audited plots differs by {off_pct} % together (usually at most {limit_pct} %).",
        ),
    },
    "Q06": {
        "": (
            "抽查样地 {plots} 不合格；该队上次合格以来的 {visits} 次调查都有疑问。请在抽查页决定是否重新打开。",
            "The audit of plot {plots} failed; the crew's {visits} visits since it last passed are in doubt. Decide on the audits page whether to open them again.",
        ),
        "visit": (
            "这支调查队的抽查不合格（样地 {plots}），这次调查在其影响范围内。请在抽查页决定是否重新打开。",
            "The crew of this visit failed an audit (plot {plots}), and the visit is among those in doubt. Decide on the audits page whether to open it again.",
        ),
    },
}  # fmt: skip
