//! Why a request of HTTP had no answer, in words; for what is wrong with certificates, with the setting that mends it.

use std::path::Path;

use rustls::CertificateError;

/// The settings of a client of HTTP: their section, such as `schema_registry`, and the file of certificates that it names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrustSettings<'a> {
    pub section: &'static str,
    pub ca: Option<&'a Path>,
}

impl TrustSettings<'_> {
    /// Why there was no answer, and what mends it where that is known.
    pub(crate) fn words(self, failure: &ureq::Error) -> String {
        let section = self.section;
        match tls_error(failure) {
            Some(rustls::Error::InvalidCertificate(error)) => self.certificate_words(error),
            Some(rustls::Error::InvalidMessage(_)) => {
                format!("no TLS is spoken there: check the port, or write http:// in {section}.url ({failure})")
            }
            _ => failure.to_string(),
        }
    }

    fn certificate_words(self, error: &CertificateError) -> String {
        let section = self.section;
        match error {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => match self.ca {
                Some(ca) => format!(
                    "its certificate is not signed by an authority in {section}.ca = {}: add the certificate of the \
                     authority that has signed it to this file",
                    ca.display()
                ),
                None => format!(
                    "its certificate is not signed by an authority that this system trusts: set {section}.ca to the file \
                     (PEM) of the authority that has signed it"
                ),
            },
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                format!("its certificate has expired: renew it there, or set the clock of this machine ({error})")
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                format!("its certificate is for another name: write one of its names in {section}.url ({error})")
            }
            other => format!("its certificate is refused: {other}"),
        }
    }
}

/// What rustls says of a connection, wherever the client of HTTP has put it.
fn tls_error(failure: &ureq::Error) -> Option<&rustls::Error> {
    match failure {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}
