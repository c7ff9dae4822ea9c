//! Settings: what `tagstream run` says of those that are wrong.

mod wrong_settings;
