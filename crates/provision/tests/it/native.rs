//! The scenarios in real bottles.

use backend_native::{HelperProgram, NativeBackend};
use bottle::{Backend, BottleName, BottleSpec, Limits, RootFs};

use crate::scenarios;

#[tokio::test]
async fn every_scenario_passes_in_a_native_bottle() {
    let backend = NativeBackend::new(HelperProgram::At(testkit::helper_file()));
    if let Err(unavailable) = backend.check().await {
        return testkit::require("userns", &unavailable.to_string());
    }
    for (name, scenario) in scenarios::ALL {
        eprintln!("scenario {name}");
        let identity = BottleName::parse("fixer-4k2p9").unwrap();
        let spec = BottleSpec { name: identity, root: RootFs::Default, tools: Vec::new(), limits: Limits::default() };
        let launched = backend.launch(&spec).await.unwrap();
        scenario(launched.bottle.clone()).await;
        launched.bottle.close().await.unwrap();
    }
}
