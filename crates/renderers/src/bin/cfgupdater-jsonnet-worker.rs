//! Evaluates Jsonnet for a renderer, over its standard input and output.

fn main() -> std::process::ExitCode {
    cfgupdater_renderers::jsonnet::serve()
}
