//! The words of the frame around all pages.

use crate::serve::page::words::{Count, words};

words! { FrameWords {
    skip: "Skip to the content", "跳到正文";
    main_navigation: "Main navigation", "主导航";
    overview: "Overview", "总览";
    audience: "Audience", "人群";
    live: "Live", "实时变更";
    catalog: "Catalog", "标签目录";
    search: "Find by key", "按键查找";
    search_kind: "Kind of entity", "实体类型";
    search_key: "Key", "键";
    search_go: "Find", "查找";
    language: "Language", "语言";
    colours: "Colours", "配色";
    colours_system: "As the system", "跟随系统";
    colours_light: "Light", "浅色";
    colours_dark: "Dark", "深色";
    switch: "Apply", "应用";
    settings: "Language and colours", "语言和配色";
    signed_in_as(name: &str): "Signed in as {name}", "已登录：{name}";
    sign_out: "Sign out", "退出登录";
    as_of: "As of", "数据截至";
    as_of_nothing: "No event has been read yet.", "尚未读取任何事件。";
    time_zone(zone: &str): "Times are in {zone}.", "时间按 {zone} 时区显示。";
    view(number: u64): "View {number}: all figures of this page are of this instant.", "视图 {number}：本页所有数字都取自这一时刻。";
    other_catalog(running: &str): "The workers run another catalog ({running}); what is shown is read with the former one until its file is here.", "工作进程正在运行另一份目录（{running}）；在读到新文件之前，这里仍按原目录显示。";
    line(line: usize, column: usize): "Line {line}, column {column}", "第 {line} 行，第 {column} 列";
    warning: "warning", "警告";
    more_problems(count: Count): "And {count} more.", "另有 {count} 个问题。";
    expression: "Condition", "条件";
    expression_about: "An expression of the catalog's language; everyone where it is empty.", "使用标签目录的表达式语言；留空表示全部。";
    suggestions: "Suggestions", "建议";
    names: "Names that it can mention", "可以使用的名称";
    attribute: "attribute", "属性";
    counter: "counter", "计数器";
    error_status(status: u16): "Status {status}", "状态码 {status}";
    error_back: "Back to the overview", "返回总览";
    not_ready: "The state is being read", "正在读取状态";
    wrong_question: "The question is wrong", "请求有误";
    wrong_expression: "An expression has errors", "表达式有错误";
    wrong_catalog: "The catalog has errors", "标签目录有错误";
    not_found: "Not found", "未找到";
    not_allowed: "Not allowed", "没有权限";
    token_needed: "A token is needed", "需要令牌";
    too_many: "Too many requests", "请求过多";
    wrong_method: "Another method is needed", "请求方法不对";
    view_gone: "The view is gone", "该视图已不再保留";
    too_large: "Too large", "内容过大";
    no_service: "The service does not answer", "服务没有响应";
    failed: "It failed", "操作失败";
    no_page(path: &str): "There is no page {path}.", "没有 {path} 这个页面。";
} }
