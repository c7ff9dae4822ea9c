//! The history: every tag change that the topic retains and every later one, in an embedded store.
