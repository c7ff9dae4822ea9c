//! The client of HTTP with the certificates that it trusts: for the registry, and for `tagstream push`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

/// Where systems keep the certificates that they trust.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
];

/// There are no certificates to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("{}: {why}", path.display())]
    Certificates { path: PathBuf, why: String },
    #[error("the system has no certificates to trust; name a file")]
    NoCertificates,
}

/// What a request does where the answer is another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// It goes on there.
    Follow,
    /// The answer is returned as it is.
    #[cfg(feature = "push")]
    Return,
}

/// A client for these addresses. A status that is no success is an answer like others.
///
/// # Errors
/// An address begins with `https:` and there are no certificates to trust.
pub(crate) fn https_agent<'a>(
    mut urls: impl Iterator<Item = &'a String>,
    ca: Option<&Path>,
    timeout: Duration,
    redirects: Redirects,
) -> Result<Agent, TrustError> {
    let mut tls =
        TlsConfig::builder().unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()));
    if urls.any(|url| url.starts_with("https:")) {
        tls = tls.root_certs(roots(ca)?);
    }
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(if redirects == Redirects::Follow { 3 } else { 0 })
        .max_redirects_will_error(redirects == Redirects::Follow)
        .user_agent("tagstream")
        .tls_config(tls.build());
    Ok(config.build().into())
}

/// The certificates that are trusted: those of the settings, or the system's.
fn roots(ca: Option<&Path>) -> Result<RootCerts, TrustError> {
    let read = |path: &Path| {
        fs::read(path).map_err(|error| TrustError::Certificates { path: path.to_owned(), why: error.to_string() })
    };
    let path = ca.map(PathBuf::from);
    let path = path.or_else(|| SYSTEM_ROOTS.iter().map(PathBuf::from).find(|path| path.exists()));
    let path = path.ok_or(TrustError::NoCertificates)?;
    let pem = read(&path)?;
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(TrustError::Certificates { path, why: "there is no certificate in it".to_owned() });
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}
