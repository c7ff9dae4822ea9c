//! The words of the session.

use crate::serve::page::words::words;

words! { SessionWords {
    title: "Sign in", "登录";
    about: "This server asks for a token. Its operator makes one with", "本服务器需要令牌。管理员可以用下面的命令生成：";
    token: "Token", "令牌";
    go: "Sign in", "登录";
    unknown: "The token is not known.", "无法识别这个令牌。";
    opening: "Opening the page", "正在打开页面";
    go_on: "Go on", "继续";
} }
