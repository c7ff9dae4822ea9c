//! The words of a tag's page.

use crate::serve::page::words::{Count, Share, words};

words! { TagWords {
    size: "Size", "数量";
    size_of(share: Share, entity: &str): "{share} of all `{entity}`", "占全部 `{entity}` 的 {share}";
    name: "Name", "名称";
    entity: "Of", "所属实体";
    group: "Group", "分组";
    owner: "Owner", "负责人";
    held: "Changes of this tag wait for approval.", "该标签的变动正在等待批准。";
    volatility: "Turnover a week", "周流动率";
    volatility_about: "1 means: within a week as many came and went as have the tag.", "1 表示：一周内进出的数量与当前拥有该标签的数量相同。";
    definition: "Definition", "定义";
    labels: "Values", "取值";
    label: "Value", "取值";
    share: "Share", "占比";
    size_over_time: "Size over time", "数量变化";
    size_says(from: Count, to: Count): "From {from} to {to} in the last 30 days.", "最近 30 天从 {from} 变为 {to}。";
    moves: "Came and went by hour", "每小时进出";
    moves_says(came: Count, went: Count): "{came} came and {went} went in the last 48 hours.", "最近 48 小时进入 {came}，离开 {went}。";
    day: "Day", "日期";
    hour: "Hour", "小时";
    came: "Came", "进入";
    went: "Went", "离开";
    changed: "Changed", "取值变化";
    table: "The numbers as a table", "以表格查看数据";
    reasons: "Why", "变动原因";
    reasons_caption: "The most frequent reasons among the latest 10,000 changes of the week", "最近一周最新 10,000 次变更中最常见的原因";
    reasons_none: "No change in the last week.", "最近一周没有变更。";
    change: "Change", "变更";
    cause: "Cause", "起因";
    because: "Values at that moment", "当时的值";
    times: "Times", "次数";
    cause_event: "an event", "事件";
    cause_timer: "time passed", "时间推移";
    cause_catalog: "the catalog changed", "目录修改";
    cause_command: "set by hand", "人工设置";
    cause_erased: "erased", "删除数据";
    cause_forgotten: "forgotten after a long silence", "长期无活动后清除";
    forecast: "Forecast of the next 30 days", "未来 30 天预测";
    forecast_of(tag: &str): "Forecast of {tag}", "{tag} 的预测";
    forecast_about: "Who enters and leaves if no event comes: only time passes.", "假设没有新事件、只有时间推移时的进出情况。";
    forecast_now_then(now: Count, then: Count): "{now} have it now, {then} in 30 days.", "现在 {now}，30 天后 {then}。";
    forecast_label(label: &str): "Value {label}", "取值 {label}";
    members: "Members", "成员";
    members_none: "Nobody has this tag.", "目前没有成员。";
    members_all: "Show all of them as an audience", "作为人群查看全部成员";
    members_first(count: Count): "The first {count} of them:", "前 {count} 个：";
} }
