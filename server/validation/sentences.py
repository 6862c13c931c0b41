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
LAST_DOUBTED = (
    "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm：从林分看，更可能是上期量错。请复测；若属实，检尺类型填 18。",
    "Tree {tag}: {value} cm, last time {before_cm} cm: beside the other trees last time's is the odder one. Please measure again; if last time was wrong, use tally code 18.",
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
        "last": LAST_DOUBTED,
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
        "slow": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，比预计的 {expected_cm} cm 小，可能录入有误。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; less than the {expected_cm} cm to be expected, perhaps a typing slip. Please measure again.",
        ),
        "alone": (
            "样木 {tag}（{species}）胸径 {value} cm，与树高和样地内其他 {plot_trees} 株（多在 {low}–{high} cm）不相称，可能录入有误。请复测。",
            "Tree {tag} ({species}): {value} cm is at odds with its height and the other {plot_trees} in the plot (mostly {low}–{high} cm); a typing slip? Please measure again.",
        ),
        "before": LAST_ODD,
        "last": LAST_DOUBTED,
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
    "H03": {
        "": (
            "样木 {tag}（{species}）胸径 {dbh_cm} cm，树高 {value} m；本地该树种这样粗的树一般高 {low}–{high} m。断梢请注明，否则复测。",
            "Tree {tag} ({species}): {value} m tall at {dbh_cm} cm; trees of the species this thick are usually {low}–{high} m here. Note a broken top, else measure again.",
        ),
    },
    "H04": {
        "": (
            "样木 {tag} 胸径 {dbh_cm} cm、树高 {value} m，像是填反了。请核对。",
            "Tree {tag}: {dbh_cm} cm thick and {value} m tall; the two seem to be exchanged. Please check.",
        ),
    },
    "H05": {
        "": (
            "样木 {tag} 树高 {value} m，上期 {before_m} m，{years} 年长得太多（一般不超过 {high} m）。请复测。",
            "Tree {tag}: {value} m tall, last time {before_m} m: too much for {years} years (usually up to {high} m). Please measure again.",
        ),
        "lower": (
            "样木 {tag} 树高 {value} m，上期 {before_m} m，变矮了（一般不低于 {low} m）。断梢请注明，否则复测。",
            "Tree {tag}: {value} m tall, last time {before_m} m: it got shorter (usually not below {low} m). Note a broken top, else measure again.",
        ),
    },
    "H06": {
        "": (
            "这些树种测高不足 {min_heights} 株：{plot_species}。请补测。",
            "Fewer than {min_heights} heights were measured of: {plot_species}. Please measure more.",
        ),
    },
    "X01": {
        "": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，明显变小。请复测；若上期量错，检尺类型填 18。",
            "Tree {tag}: {value} cm, last time {before_cm} cm: it shrank. Please measure again; if last time was wrong, use tally code 18.",
        ),
        "before": LAST_ODD,
        "last": LAST_DOUBTED,
    },
    "X02": {
        "": (
            "样木 {tag} 胸径 {value} cm，比上期 {before_cm} cm 略小，超出量测误差。请确认。",
            "Tree {tag}: {value} cm is a little less than {before_cm} cm last time, more than tapes differ. Please confirm.",
        ),
        "before": LAST_ODD,
        "last": LAST_DOUBTED,
    },
    "X03": {
        "": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，{years} 年生长偏快（这里一般到 {high} cm）。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm: fast for {years} years (here usually up to {high} cm). Please measure again.",
        ),
        "slow": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，{years} 年几乎没有生长（这里一般至少 {low} cm）。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm: little growth in {years} years (here usually at least {low} cm). Please measure again.",
        ),
        "before": LAST_ODD,
        "last": LAST_DOUBTED,
    },
    "X04": {
        "": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，{years} 年生长过大（一般到 {high} cm）。请复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm: too much growth in {years} years (usually up to {high} cm). Please measure again.",
        ),
        "before": LAST_ODD,
        "last": LAST_DOUBTED,
    },
    "X05": {
        "": (
            "样木 {tag} 胸径 {value} cm，是上期 {before_cm} cm 的 {ratio} 倍。请复测。",
            "Tree {tag}: {value} cm is {ratio} times last time's {before_cm} cm. Please measure again.",
        ),
        "before": LAST_ODD,
        "last": LAST_DOUBTED,
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
            "样木 {tag} 本期树种为{value}，上期为{before}。请看照片核对；若上期有误，检尺类型填 19。",
            "Tree {tag} is {value} and was {before} last time. Check with a photo; if last time was wrong, use tally code 19.",
        ),
        "many": (
            "{trees} 株样木（{tags}）本期树种为{value}，上期都是{before}。请看照片一并核对；若上期有误，检尺类型填 19。",
            "{trees} trees ({tags}) are {value} and were {before} last time. Decide them together, with photos; if last time was wrong, use tally code 19.",
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
        "many": (
            "{trees} 株样木（{tags}）离上期位置都超过 {far_m} m，树种和胸径却接得上。请核对位置图的原点和方向。",
            "{trees} trees ({tags}) are more than {far_m} m from where they stood, and their species and diameters go on. Check the map's origin and direction.",
        ),
        "places": (
            "样木 {tag} 站在样木 {other} 上期的位置（{value}），样木 {other} 站在它的位置。请核对两株的样木号。",
            "Tree {tag} stands at ({value}), where tree {other} stood, and {other} where it stood. Check both tags.",
        ),
        "swap": (
            "样木 {tag} 胸径 {value} cm，上期 {before_cm} cm，像是与样木 {other} 互换了。请两株都复测。",
            "Tree {tag}: {value} cm, last time {before_cm} cm; exchanged with tree {other}, it seems. Please measure both again.",
        ),
        "before": LAST_ODD,
        "last": LAST_DOUBTED,
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
            "抽查 {trees} 株，胸径系统偏大，是允许偏差的 {times} 倍（{least_times}–{most_times}）。请校准卷尺。",
            "Over {trees} audited trees the crew reads more, {times} times the bias that is allowed ({least_times} to {most_times}). Calibrate its tapes.",
        ),
        "less": (
            "抽查 {trees} 株，胸径系统偏小，是允许偏差的 {times} 倍（{least_times}–{most_times}）。请校准卷尺。",
            "Over {trees} audited trees the crew reads less, {times} times the bias that is allowed ({least_times} to {most_times}). Calibrate its tapes.",
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
    "P01": {
        "": (
            "定位（{value}）离设计位置 {away_m} m，手机精度 {accuracy_m} m。请核对是否走错样地，否则重新定位。",
            "The fix ({value}) is {away_m} m from the planned position; the phone says {accuracy_m} m. Is it another plot? If not, take the position again.",
        ),
        "last": (
            "定位（{value}）离上期定位 {away_m} m，手机精度 {accuracy_m} m。请核对是否同一块样地。",
            "The fix ({value}) is {away_m} m from last time's; the phone says {accuracy_m} m. Check that it is the same plot.",
        ),
    },
    "P02": {
        "fix": (
            "定位（{value}）离设计位置 {away_m} m，方向和距离正好是 {datum_name} 的偏移（换算后只差 {left_m} m）。请确认坐标系。",
            "The fix ({value}) is {away_m} m from the plan, just as {datum_name} shifts it (converted, {left_m} m are left). Please confirm the datum.",
        ),
        "design": (
            "定位（{value}）离设计位置 {away_m} m，设计坐标本身像是 {datum_name}（换算后只差 {left_m} m）。请改计划里的坐标。",
            "The fix ({value}) is {away_m} m from the plan; the planned position itself seems to be in {datum_name} (converted, {left_m} m are left). Please correct the plan.",
        ),
    },
    "P03": {
        "accuracy": (
            "定位精度 {accuracy_m} m，超过 {most_m} m。下次请等信号稳定。",
            "The fix is good to {accuracy_m} m only, more than {most_m} m. Wait for satellites next time.",
        ),
        "twin": (
            "定位（{value}）与样地 {other} 相差不到 {same_m} m。两块样地不会在一处，请核对。",
            "The fix ({value}) is within {same_m} m of plot {other}'s. Two plots cannot be in one place; please check.",
        ),
    },
    "P04": {
        "elevation_m": (
            "海拔 {value} m，上期 {last} m，相差超过 {most} m。请核对是否同一块样地。",
            "Elevation {value} m, last time {last} m: more than {most} m apart. Check that it is the same plot.",
        ),
        "slope_deg": (
            "坡度 {value}°，上期 {last}°，相差达到 {most}°。请核对。",
            "Slope {value}°, last time {last}°: {most}° or more apart. Please check.",
        ),
        "aspect": (
            "坡向 {value}，上期 {last}，相差超过 {most} 个方位。请核对。",
            "Aspect {value}, last time {last}: more than {most} eighths of a circle apart. Please check.",
        ),
    },
    "P05": {
        "perimeter": (
            "周长 {value} m，应在 {low}–{high} m 之间（四边共 {due_m} m）。请重测周界。",
            "The perimeter is {value} m and should be {low} to {high} m (four sides make {due_m} m). Measure it again.",
        ),
        "closure": (
            "闭合差 {value} m，超过 {high} m。请重测周界。",
            "The boundary misses itself by {value} m, more than {high} m. Measure it again.",
        ),
        "corner": (
            "角桩 {number}（{value}）离样地中心 {away_m} m，应为 {due_m} m 左右。请核对角桩位置。",
            "Corner {number} ({value}) is {away_m} m from the centre and should be about {due_m} m. Please check it.",
        ),
        "same": (
            "角桩 {value} 的定位相差不到 {same_m} m。请逐个角桩定位。",
            "Corners {value} are within {same_m} m of each other. Take the position at each corner.",
        ),
        "crossed": (
            "按角桩顺序连线，样地的边互相交叉。请核对角桩号。",
            "Joined in their order, the corners make sides that cross. Please check their numbers.",
        ),
    },
    "P06": {
        "basal_area": (
            "断面积 {value} m²/ha，超过 {high} m²/ha，而且不只是一株的问题。请核对样地面积和胸径单位。",
            "Basal area {value} m²/ha is above {high} m²/ha, and not by one tree alone. Check the plot's area and the unit of the diameters.",
        ),
        "stems": (
            "每公顷 {value} 株（胸径 5 cm 以上），超过 {high} 株。请核对样地面积和样木有没有重复。",
            "{value} stems of 5 cm and more on a hectare, above {high}. Check the plot's area and whether trees came twice.",
        ),
        "mean_dbh": (
            "{plot_trees} 株的平均胸径 {value} cm，应在 {low}–{high} cm 之间。请核对单位。",
            "The mean diameter of {plot_trees} trees is {value} cm and should be {low} to {high} cm. Check the unit.",
        ),
        "mean_height": (
            "{plot_trees} 株的平均树高 {value} m，应在 {low}–{high} m 之间。请核对单位。",
            "The mean height of {plot_trees} trees is {value} m and should be {low} to {high} m. Check the unit.",
        ),
    },
    "P07": {
        "run": (
            "与样地 {other}（{census} 期）对照，{trees} 株中有 {same} 株树种和胸径都相同，其中连续 {run} 株一模一样（巧合的概率约 {chance}）。像是照抄，请安排复查。",
            "Beside plot {other} (census {census}) {same} of {trees} trees have the same species and diameter, {run} of them one after the other (by chance: about {chance}). Copied, it seems; have the plot visited again.",
        ),
        "shuffled": (
            "与样地 {other}（{census} 期）有 {share_pct}% 的样木树种和胸径都相同，只是顺序不同（同位 {same} 株，最长连续 {run} 株，共 {trees} 株）。请安排复查。",
            "{share_pct} % of the trees have a twin of the same species and diameter in plot {other} (census {census}), in another order ({same} of {trees} side by side, the longest run {run}). Have the plot visited again.",
        ),
    },
    "P08": {
        "trees": (
            "地类是有林地，却没有一株样木。请补测，或改正地类。",
            "The land type is forest and there is not one tree. Measure them, or correct the land type.",
        ),
        "position": ("没有样地位置。请补定位。", "The plot has no position. Please take it."),
    },
    "P09": {
        "campaign": (
            "调查日期 {value} 不在本期（{starts_on} 到 {ends_on}）之内。请核对日期和调查期。",
            "The day {value} is not in this census ({starts_on} to {ends_on}). Check the day and the census.",
        ),
        "future": (
            "调查日期 {value} 晚于收到的日期。请核对日期。",
            "The day {value} lies after the day on which the record was received. Please check it.",
        ),
        "clock": (
            "手机时间比收到时间快 {ahead_min} 分钟。请把手机时间设为自动，并核对调查日期 {value}。",
            "The phone's clock is {ahead_min} minutes ahead of the receipt. Set it to automatic, and check the day {value}.",
        ),
        "order": (
            "结束时间早于开始时间，调查中改过手机时间？请核对日期 {value}。",
            "It ended before it began; was the clock changed meanwhile? Please check the day {value}.",
        ),
    },
    "P10": {
        "cover": (
            "地类是乔木林，郁闭度 {value} 却小于 {low}。请核对。",
            "The land type is tree forest, yet the canopy cover {value} is below {low}. Please check.",
        ),
        "age": (
            "平均年龄 {value} 年，上期 {last} 年，两期相隔 {years} 年，对不上。请核对。",
            "Mean age {value} years, last time {last}, with {years} years between: that does not add up. Please check.",
        ),
        "land": (
            "地类 {value}，上期 {last} 是有林地，而样地里仍有样木。请核对地类。",
            "Land type {value}; last time it was forest ({last}), and there are still trees. Please check the land type.",
        ),
        "origin": (
            "起源 {value}，上期 {last}。起源不会改变，请核对。",
            "Origin {value}, last time {last}. An origin does not change; please check.",
        ),
    },
    "P11": {
        "": (
            "样木 {tag}（{value}）与样木 {other} 相距 {apart_m} m，小于两株半径之和 {touching_m} m。请核对位置和样木号。",
            "Tree {tag} at ({value}) is {apart_m} m from tree {other}, less than their radii together ({touching_m} m). Check positions and tags.",
        ),
    },
    "P12": {
        "said": ("手机报告位置（{value}）是模拟的。请关掉模拟定位，重新定位。", "The phone says that the position ({value}) is mocked. Turn that off and take it again."),
        "zero": (
            "位置（{value}）的精度是 0：不是卫星定位，而是模拟位置或在地图上点的。请在样地里重新定位。",
            "The position ({value}) has an accuracy of 0: it was mocked, or set on the map by hand. Take it again in the plot.",
        ),
        "design": (
            "位置（{value}）与设计坐标完全相同，而精度是 {accuracy_m} m，像是照填的。请在样地里重新定位。",
            "The position ({value}) is exactly the planned one, at an accuracy of {accuracy_m} m: filled in, it seems. Take it again in the plot.",
        ),
    },
    "P13": {
        "township": (
            "定位（{value}）在{name}边界外 {outside_m} m。请核对样地所属乡镇。",
            "The fix ({value}) is {outside_m} m outside {name}. Check the plot's township.",
        ),
        "stratum": (
            "定位（{value}）在碳层“{name}”边界外 {outside_m} m。请核对样地所属碳层。",
            "The fix ({value}) is {outside_m} m outside the stratum {name}. Check the plot's stratum.",
        ),
    },
    "F01": {
        "": (
            "照片 {value} 的位置离样地 {away_m} m。请问清在哪里拍的。",
            "Photo {value} was taken {away_m} m from the plot. Ask where.",
        ),
        "datum": (
            "照片 {value} 的位置离样地 {away_m} m，正好是 {datum_name} 的偏移：相机写的是 {datum_name} 坐标，不必处理。",
            "Photo {value} says {away_m} m from the plot, just as {datum_name} shifts it: the camera writes {datum_name}, nothing is wrong.",
        ),
    },
    "F02": {
        "": (
            "照片 {value} 拍摄于 {taken_at}，在调查时间之外 {off_min} 分钟。请问清何时拍的。",
            "Photo {value} was taken at {taken_at}, {off_min} minutes outside the visit. Ask when.",
        ),
        "day": (
            "照片 {value} 拍摄于 {taken_at}，不是调查当天（{on}）。请问清何时拍的。",
            "Photo {value} was taken at {taken_at}, not on the day of the visit ({on}). Ask when.",
        ),
        "zone": (
            "照片 {value} 拍摄于 {taken_at}，与调查时间正好差 8 小时：相机的时区没有设对。",
            "Photo {value} was taken at {taken_at}, just eight hours off the visit: the camera's time zone is wrong.",
        ),
    },
    "F03": {
        "same": (
            "照片 {value} 与样地 {other}（{census} 期）的照片 {other_photo} 是同一个文件。请重拍。",
            "Photo {value} is the very file {other_photo} of plot {other} (census {census}). Have it taken again.",
        ),
        "alike": (
            "照片 {value} 与样地 {other}（{census} 期）的照片 {other_photo} 几乎一样（64 位相差 {bits} 位）。请并排对照。",
            "Photo {value} looks like {other_photo} of plot {other} (census {census}): {bits} of 64 bits differ. Compare them side by side.",
        ),
        "here": (
            "照片 {value} 与本次的照片 {other_photo} 是同一个文件。请补拍缺的那一张。",
            "Photo {value} is the very file {other_photo} of this visit. Have the missing one taken.",
        ),
    },
    "F04": {
        "stripped": (
            "照片 {value} 没有相机型号和位置，可能经过转发。可向调查队要原图。",
            "Photo {value} has neither camera nor position; it may have been forwarded. Ask for the original.",
        ),
        "many": (
            "{photos} 张照片中有 {stripped} 张没有相机型号和位置。请向调查队要原图。",
            "{stripped} of {photos} photos have neither camera nor position. Ask the crew for the originals.",
        ),
        "edited": (
            "照片 {value} 由 {software} 保存过，不是原图。请向调查队要原图。",
            "Photo {value} was saved by {software} and is no original. Ask the crew for it.",
        ),
    },
    "F05": {
        "": (
            "样木 {tag} 的疑点（{rules}）已认可，但没有收到围尺照片。请补一张。",
            "A doubt about tree {tag} ({rules}) was accepted and no photo of the tape has come. Ask for one.",
        ),
    },
    "F06": {
        "few": ("只有 {photos} 张照片，至少要 {least} 张。请补拍。", "There are {photos} photos and should be {least} at least. Have more taken."),
        "short": (
            "有 {photos} 张照片，四角和中心一共要 {wanted} 张。",
            "There are {photos} photos; four corners and the centre make {wanted}.",
        ),
    },
}  # fmt: skip
