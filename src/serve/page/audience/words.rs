//! The words of the page of an audience.

use crate::serve::page::words::{Code, Count, Share, words};

words! { AudienceWords {
    title: "Audience", "人群";
    entity: "Of", "实体类型";
    show: "Show", "查看";
    as_of: "As of", "截至时刻";
    as_of_about: "An instant in the past, for conditions over tags; now where it is empty.", "过去的某一时刻，仅适用于标签条件；留空表示现在。";
    by: "Divide by", "按此细分";
    by_second: "And by", "再按此细分";
    by_about: "A tag, an attribute or a counter. Bounds behind a number make bands: spend_180d:100,1000", "标签、属性或计数器。数值后加界限可分段：spend_180d:100,1000";
    others: "Lay over other audiences", "与其他人群叠加";
    other(letter: &str): "Condition {letter}", "条件 {letter}";
    compare: "Compare two instants", "比较两个时刻";
    from: "From", "从";
    to: "To", "到";
    to_about: "Now where it is empty.", "留空表示现在。";
    size: "Size", "人数";
    size_of(share: Share, entity: Code<'_>): "{share} of all {entity}", "占全部 {entity} 的 {share}";
    in_the_past: "At this instant", "对应时刻";
    incomplete(counter: Code<'_>): "{counter} has not seen its whole window yet; it counts as it is.", "{counter} 尚未覆盖完整窗口，按现有数据计算。";
    incomplete_until(counter: Code<'_>, at: &str): "{counter} has not seen its whole window yet, and has on {at}; it counts as it is.", "{counter} 要到 {at} 才覆盖完整窗口，目前按现有数据计算。";
    links: "Take it along", "保存与分享";
    link_fixed: "A link to those of this instant", "固定在此刻的链接";
    csv: "All members as CSV", "下载全部成员（CSV）";
    ndjson: "All members as NDJSON", "下载全部成员（NDJSON）";
    take: "All members as a file", "下载全部成员";
    column(number: Count): "Column {number}", "第 {number} 列";
    column_about: "A tag, an attribute, a counter or an expression over them, such as spend_180d / 2; the key is always there.", "标签、属性、计数器或由它们组成的表达式，例如 spend_180d / 2；文件中始终包含键。";
    breakdown: "Divided", "细分";
    breakdown_by(by: &str): "Members by {by}", "按 {by} 细分";
    value: "Value", "取值";
    nothing: "none", "无";
    other_values: "other values", "其他取值";
    below(below: &str): "below {below}", "小于 {below}";
    at_least(from: &str): "{from} and more", "{from} 及以上";
    between(from: &str, below: &str): "{from} to below {below}", "{from} 至 {below}（不含）";
    share: "Share", "占比";
    overlap: "Overlap", "重叠";
    overlap_caption: "Those who are in these audiences and in no other", "仅属于这些人群的成员";
    audiences: "Audiences", "人群";
    and: "and", "且";
    everyone: "everyone", "全部";
    compared: "Compared", "对比";
    before: "Size before", "之前的人数";
    after: "Size after", "之后的人数";
    stayed: "Stayed", "保留";
    came: "Came", "进入";
    went: "Went", "离开";
    some_of: "Some of them", "部分成员";
    members: "Members", "成员";
    members_none: "Nobody.", "没有成员。";
    members_shown(shown: Count, size: Count): "{shown} of {size}", "共 {size}，此处显示 {shown}";
    next: "Next page", "下一页";
    next_about: "It is of the same instant, and kept for a minute.", "与本页为同一时刻，保留一分钟。";
    first: "First page", "第一页";
} }
