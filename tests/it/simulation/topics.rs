//! The topics of a simulated cluster.

/// What a topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    Input,
    Changes,
    Tags,
    Letters,
    Changelog,
}

impl Topic {
    pub const ALL: [Topic; 5] = [Topic::Input, Topic::Changes, Topic::Tags, Topic::Letters, Topic::Changelog];

    pub fn name(self) -> &'static str {
        match self {
            Topic::Input => "events",
            Topic::Changes => "changes",
            Topic::Tags => "tags",
            Topic::Letters => "sim-dead-letter",
            Topic::Changelog => "sim-changelog",
        }
    }

    pub fn named(name: &str) -> Topic {
        Topic::ALL.into_iter().find(|topic| topic.name() == name).expect("a topic of the simulation")
    }
}
