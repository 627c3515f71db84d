//! The AWS stub behind TLS, as AWS is: a certificate authority that lives as long as the measurement.

use pipewarden_local::aws_stub::AwsStub;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Where Linux distributions keep the roots that they trust, as Amazon Linux does or as Debian does.
const SYSTEM_BUNDLES: [&str; 2] = [
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/certs/ca-certificates.crt",
];

/// A stub that could not be served over TLS.
#[derive(Debug, thiserror::Error)]
pub enum StubError {
    /// No certificate could be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificate could not be used.
    #[error("cannot serve TLS with the certificate")]
    Tls(#[from] rustls::Error),
    /// No port, or no bundle.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

/// A stub that is served over TLS until the runtime ends.
#[derive(Debug)]
pub struct HttpsStub {
    /// The stub.
    pub stub: AwsStub,
    /// Amazon's roots, which functions trust for AWS, and the stub's own.
    pub amazon_roots: NamedTempFile,
    /// The roots which functions trust for others, and the stub's own.
    pub common_roots: NamedTempFile,
    /// The system's roots, where it has a bundle of them, and the stub's own.
    pub system_roots: NamedTempFile,
}

impl HttpsStub {
    /// Serves a stub on `localhost`; the files of roots that functions come with are in `roots`.
    ///
    /// # Errors
    /// [`StubError`] where a certificate, a port or a bundle is not to be had.
    pub async fn listen(roots: &Path) -> Result<Self, StubError> {
        let issuer = authority()?;
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_single_cert(
                    vec![leaf.der().clone()],
                    PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
                )?;
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(io("listen on loopback for AWS calls"))?;
        let port = listener
            .local_addr()
            .map_err(io("read the stub's port"))?
            .port();
        let stub = AwsStub::new(&format!("https://localhost:{port}"));
        let own = issuer.pem();
        let amazon = roots.join("amazon_roots.pem");
        let system = SYSTEM_BUNDLES
            .iter()
            .map(Path::new)
            .find(|path| path.is_file());
        tokio::spawn(serve(
            listener,
            TlsAcceptor::from(Arc::new(config)),
            stub.clone(),
        ));
        Ok(Self {
            stub,
            amazon_roots: bundle(&own, &[&amazon]).map_err(io("bundle Amazon's roots"))?,
            common_roots: bundle(&own, &[&amazon, &roots.join("common_roots.pem")])
                .map_err(io("bundle common roots"))?,
            system_roots: bundle(&own, system.as_slice())
                .map_err(io("bundle the system's roots"))?,
        })
    }
}

fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> StubError {
    move |source| StubError::Io { doing, source }
}

fn authority() -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = CertificateParams::default();
    // OpenSSL takes a leaf with its issuer's name for a self-signed one.
    params
        .distinguished_name
        .push(DnType::CommonName, "Pipewarden bench");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

fn bundle(own: &str, others: &[&Path]) -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::with_suffix(".pem")?;
    for path in others {
        file.write_all(&std::fs::read(path)?)?;
    }
    file.write_all(own.as_bytes())?;
    Ok(file)
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, stub: AwsStub) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let (acceptor, stub) = (acceptor.clone(), stub.clone());
        tokio::spawn(async move {
            // A handshake that fails shows in the function's answer.
            if let Ok(stream) = acceptor.accept(stream).await {
                stub.serve(stream).await;
            }
        });
    }
}
