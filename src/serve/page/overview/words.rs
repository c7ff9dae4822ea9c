//! The words of the overview.

use crate::serve::page::words::{Count, words};

words! { OverviewWords {
    title: "Overview", "总览";
    entities: "Entities", "实体数量";
    tags: "Tags", "标签";
    tags_caption: "Tags by group, with how many have them and how many came and went", "按分组列出的标签，以及拥有它的实体数量和进出情况";
    no_scope: "Your token does not show tags and their sizes: it lacks the scope `audience`.", "您的令牌没有 `audience` 权限，因此看不到标签及其数量。";
    filter: "Filter tags", "筛选标签";
    ungrouped: "Without a group", "未分组";
    tag: "Tag", "标签";
    size: "Size", "数量";
    hour: "Hour", "1 小时";
    day: "Day", "1 天";
    week: "Week", "7 天";
    trend: "Last 7 days", "最近 7 天";
    came_and_went(came: Count, went: Count): "{came} came, {went} went", "进入 {came}，离开 {went}";
    trend_says(from: Count, to: Count): "From {from} to {to} in the last 7 days", "最近 7 天从 {from} 变为 {to}";
    held: "Waits for approval", "待批准";
    approvals: "Waiting for approval", "等待批准";
    approvals_about: "The catalog was changed, and these tags would change for more people than the limit allows. They stay as they are until somebody approves.", "标签目录已修改，这些标签的变动人数超过了限额。在批准之前，它们保持不变。";
    approve: "Approve", "批准";
    approve_tag(tag: &str): "Approve {tag}", "批准 {tag}";
    approve_elsewhere: "Changes are not approved here: serve.service does not name a process of the service.", "无法在此批准：未通过 serve.service 指定服务进程。";
    approved: "Approved. The tag changes when the workers have read it.", "已批准，工作进程读取后标签将会更新。";
    has_now(count: Count): "{count} have it now" / count "{count} has it now", "目前有 {count} 个";
    would_differ(count: Count): "{count} would lose it or see it change", "{count} 个将失去它或取值改变";
    would_come(count: Count): "{count} would get it", "{count} 个将获得它";
    health: "Health", "运行状况";
    lag: "Records behind", "落后的记录数";
    dead_letters: "Dead letters", "死信数";
    dead_letters_about: "Records of the dead-letter topic, about: ends of transactions count, too", "死信主题中的记录数（近似值，包含事务标记）";
    clock: "Clock", "数据时钟";
    partitions: "Partitions", "分区";
    restoring(count: Count): "{count} partitions are being read" / count "{count} partition is being read", "正在读取 {count} 个分区";
    all_live: "All partitions are shown as they are.", "所有分区都是最新状态。";
    history_off: "There is no history: figures over time need the setting serve.directory.", "没有历史记录：随时间变化的数字需要设置 serve.directory。";
    history_behind: "The history is still reading the tag changes; figures over time come later.", "历史记录仍在读取标签变更，随时间变化的数字稍后显示。";
    history_reaches(since: &str): "The history goes back to {since}.", "历史记录可追溯到 {since}。";
    partition: "Partition", "分区";
    partitions_caption: "Partitions, with their clocks and what is still to be read", "各分区的时钟和待读取的记录";
} }
