//! The words of the page of live changes. `{{count}}` is filled in by its script.

use crate::serve::page::words::words;

words! { LiveWords {
    title: "Live", "实时变更";
    entity: "Of", "实体类型";
    tag: "Tag", "标签";
    all_tags: "All tags", "全部标签";
    where_about: "Changes of entities for which it holds when the change is read.", "只显示读取变更时满足条件的实体。";
    show: "Show", "查看";
    changes: "The last changes, the newest first", "最新变更（最新的在前）";
    none: "No change yet.", "还没有变更。";
    no_history: "There is no history here: set serve.directory to see changes.", "这里没有历史：设置 serve.directory 后才能查看变更。";
    pause: "Pause", "暂停";
    resume: "Go on", "继续";
    waiting: "{{count}} new changes wait.", "有 {{count}} 条新变更等待显示。";
    told: "{{count}} new changes.", "新增 {{count}} 条变更。";
    lost: "The connection is lost; the page tries again.", "连接已断开，正在重试。";
    connected: "New changes appear by themselves.", "新变更会自动出现。";
    without_script: "Without scripts, load the page again to see new changes.", "未启用脚本时，请重新载入页面查看新变更。";
    skipped: "Changes are left out here: they are too old, or of another store.", "此处略去了一些变更：过旧，或来自其他存储。";
    dropped: "Changes came faster than they were read; the page goes on behind the last one.", "变更到达过快，页面将从上一条之后继续。";
} }
