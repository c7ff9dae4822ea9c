//! A naive store of the same users: a hash map of structs that is scanned.

use std::collections::HashMap;

use tagstream::serve::api::Profile;
use tagstream::serve::audience::Audience;
use tagstream::serve::replica::ReplicaView;

/// What a naive store keeps of a user.
pub struct NaiveUser {
    pub regular: bool,
    pub churn_risk: bool,
    pub spend_level: Option<String>,
    pub spend_180d: f64,
}

pub fn naive(view: &ReplicaView) -> HashMap<String, NaiveUser> {
    let kind = view.compiled.catalog.user();
    let everyone = Audience::everyone(&view.compiled, kind).select(view);
    let user = |key: &str| {
        let profile = Profile::of(view, kind, key).expect("a user");
        let tag = |name: &str| profile.tags.iter().find(|tag| tag.tag == name);
        let spend = profile.counters.iter().flatten().find(|counter| counter.name == "spend_180d");
        NaiveUser {
            regular: tag("regular").is_some(),
            churn_risk: tag("churn_risk").is_some(),
            spend_level: tag("spend_level").and_then(|tag| tag.value.as_str().map(str::to_owned)),
            spend_180d: spend.and_then(|counter| counter.value.as_f64()).unwrap_or(0.0),
        }
    };
    everyone.members((0, 0)).map(|member| (member.key().to_owned(), user(member.key()))).collect()
}
