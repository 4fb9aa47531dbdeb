//! gVisor is taken where it works, and refused with what to do where it does not.

use backend_docker::{DockerBackend, Runtime, Settings};
use bottle::{Backend, Boundary};

use crate::engine::{TestBackend, settings};

async fn is_there() -> bool {
    match TestBackend::on("runsc").check().await {
        Ok(_) => true,
        Err(missing) => {
            testkit::require("gvisor", &missing.to_string());
            false
        }
    }
}

#[tokio::test]
async fn an_engine_that_knows_gvisor_uses_it_by_itself() {
    if is_there().await {
        let backend = DockerBackend::new(Settings { runtime: Runtime::Best, ..settings("runsc") });
        let capabilities = backend.check().await.unwrap();
        assert_eq!((capabilities.boundary, capabilities.transparent), (Boundary::UserSpaceKernel, false));
        assert_eq!(TestBackend::on("runc").check().await.unwrap().boundary, Boundary::Namespaces);
    }
}

#[tokio::test]
async fn gvisor_that_lets_nobody_out_is_refused_with_the_line_that_mends_it() {
    if is_there().await {
        let error = TestBackend::on("runsc-without-sockets").check().await.unwrap_err();
        let hints = error.hints.join("\n");
        assert!(error.missing.contains("runsc-without-sockets"), "{error}");
        assert!(
            hints.contains("--host-uds=open") && hints.contains("daemon.json") && hints.contains("--runtime runc"),
            "{error}"
        );
    }
}
