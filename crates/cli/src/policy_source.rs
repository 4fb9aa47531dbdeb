use manifest::{Catalogue, Places, Resolved};
use session::PolicySource;

/// The manifests that a session was started from, read again.
pub struct Manifests {
    places: Places,
    agent: String,
    bottles: Vec<String>,
}

impl Manifests {
    /// Those of `agent`, in the bottles that were chosen, if any were.
    pub fn new(places: Places, agent: &str, bottles: &[String]) -> Self {
        Self { places, agent: agent.to_owned(), bottles: bottles.to_vec() }
    }
}

impl PolicySource for Manifests {
    fn read(&self) -> Result<Resolved, String> {
        let catalogue = Catalogue::open(&self.places).map_err(|error| error.to_string())?;
        let resolved = catalogue.resolve(&self.agent, &self.bottles);
        resolved.map_err(|error| error.render(manifest::Style::Plain).trim_end().to_owned())
    }
}
