//! x
/// x
#[derive(Debug)]
pub enum BindError {}
/// x
pub fn bind(text: &str, _: &[(&str, &str)]) -> Result<String, BindError> {
    Ok(text.into())
}
