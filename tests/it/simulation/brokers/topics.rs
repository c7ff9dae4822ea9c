//! The topics of a simulated cluster.

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Input,
    /// Another input.
    More,
    Changes,
    Tags,
    Letters,
    Changelog,
    /// What is passed on, and its changelog.
    ByUser,
    ByUserChangelog,
    ByAccount,
    ByAccountChangelog,
}

impl Topic {
    pub const ALL: [Topic; 10] = [
        Topic::Input,
        Topic::More,
        Topic::Changes,
        Topic::Tags,
        Topic::Letters,
        Topic::Changelog,
        Topic::ByUser,
        Topic::ByUserChangelog,
        Topic::ByAccount,
        Topic::ByAccountChangelog,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Topic::Input => "events",
            Topic::More => "more",
            Topic::Changes => "changes",
            Topic::Tags => "tags",
            Topic::Letters => "sim-dead-letter",
            Topic::Changelog => "sim-changelog",
            Topic::ByUser => "sim-by-user",
            Topic::ByUserChangelog => "sim-by-user-changelog",
            Topic::ByAccount => "sim-by-account",
            Topic::ByAccountChangelog => "sim-by-account-changelog",
        }
    }

    pub fn named(name: &str) -> Topic {
        Topic::ALL.into_iter().find(|topic| topic.name() == name).expect("a topic of the simulation")
    }
}
