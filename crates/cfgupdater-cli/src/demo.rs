//! placeholder
pub(crate) async fn run(_: &crate::args::DemoArgs) -> Result<(), crate::exit::Failure> {
    Ok(())
}
