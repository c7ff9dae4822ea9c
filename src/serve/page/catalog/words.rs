//! The words of the page on which the catalog is edited.

use crate::serve::page::words::{Count, words};

words! { CatalogWords {
    title: "Catalog", "标签目录";
    about: "Try an edit: nothing here changes the service. To put it in force, write the text to the catalog's file.", "在这里试改，不会影响正在运行的服务。要使其生效，请把文本写入目录文件。";
    text: "Text of the catalog (YAML)", "目录文本（YAML）";
    problems: "Problems", "问题";
    good: "No problems.", "没有问题。";
    same: "It computes the same as the catalog in force.", "计算结果与当前目录相同。";
    fingerprint(fingerprint: &str): "Fingerprint {fingerprint}", "指纹 {fingerprint}";
    go: "Preview on the live state", "在实时状态上预览";
    preview: "What it would change", "会带来的变化";
    preview_about: "At once, on the state as it is. New counters count from then on.", "按现有状态立即计算。新计数器从那时起开始计数。";
    nothing: "It would change no tag of anybody.", "不会改变任何人的标签。";
    no_preview: "The catalog has errors: there is no preview.", "目录有错误，无法预览。";
    tag: "Tag", "标签";
    before: "Now", "现在";
    after: "Then", "之后";
    enter: "Enter", "进入";
    leave: "Leave", "离开";
    other_value: "Other value", "取值变化";
    who(tag: &str): "Who enters and leaves {tag}", "{tag} 的进入与离开者";
    entering(count: Count): "Enter: {count}, for example", "进入 {count} 个，例如";
    leaving(count: Count): "Leave: {count}, for example", "离开 {count} 个，例如";
} }
