//! A page for people: each repository and why what waits waits.

use cfgupdater::View;

/// Renders the page.
pub(crate) fn page(views: &[std::sync::Arc<View>]) -> String {
    let repos: String = views.iter().map(|view| section(view)).collect();
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>cfgupdater</title><style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;\
         padding:0 1rem}}td,th{{text-align:left;padding:.1rem 1rem .1rem 0}}</style><h1>cfgupdater</h1>{repos}</html>"
    )
}

fn section(view: &View) -> String {
    let status = crate::status::status_of(view);
    let reach = if status.reachable { "" } else { " <strong>(not reachable)</strong>" };
    let waves: String = status
        .waves
        .iter()
        .flat_map(|wave| wave.sets.iter().map(move |set| (wave, set)))
        .map(|(wave, set)| {
            let release = set.app_sha.as_deref().or(set.release.as_deref()).unwrap_or("nothing");
            let release: String = release.chars().take(10).collect();
            format!(
                "<tr><td>{}<td>{}<td><code>{}</code>",
                escape(&wave.name),
                escape(&set.set),
                escape(&release)
            )
        })
        .collect();
    let why: String = match status.why.as_slice() {
        [] => "<p>Nothing waits.</p>".to_owned(),
        why => why.iter().map(|w| format!("<li>{}: {}", escape(&w.subject), escape(&w.text))).collect(),
    };
    format!(
        "<h2>{}{reach}</h2><p>{} commits on auto</p><table><tr><th>wave<th>set<th>release{waves}</table><ul>{why}</ul>",
        escape(&status.name),
        status.chain.len()
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
