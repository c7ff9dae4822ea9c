//! Who may ask what: tokens with scopes, the audit log, TLS, and limits for each client.
