use proptest::prelude::*;

use super::*;
use crate::image::Image;
use crate::testing;
use crate::yaml::tests::{events, without};

const KUSTOMIZATION: &str = include_str!("../../tests/layouts/kustomization.yaml");
const VALUES: &str = include_str!("../../tests/layouts/values.yaml");

fn wave() -> WaveName {
    "staging".parse().unwrap()
}

fn services(names: &[(&str, &str)]) -> BTreeMap<ServiceName, String> {
    names.iter().map(|(service, name)| (service.parse().unwrap(), (*name).to_owned())).collect()
}

fn kustomize() -> Layout {
    Layout::of(Form::Kustomize(BTreeMap::new()), "overlays/{wave}/kustomization.yaml").unwrap()
}

fn helm() -> Layout {
    let paths =
        services(&[("api", "api.image"), ("web", "web.image"), ("worker", "jobs.nightly.worker.oci")]);
    Layout::of(Form::Helm(paths), "values/{wave}.yaml").unwrap()
}

fn image(repository: &str, tag: &str, n: u8) -> Image {
    let hex = crate::hex::encode(&[n; 32]);
    Image { digest: format!("{repository}@sha256:{hex}"), tag: format!("{repository}:{tag}") }
}

fn three(tag: &str) -> ImageMap {
    let image = |name: &str, n| (name.parse().unwrap(), image(&format!("r.example.com/{name}"), tag, n));
    ImageMap::new([image("api", 1), image("web", 2), image("worker", 3)].into())
}

fn write(layout: &Layout, content: &str, images: &ImageMap) -> Result<String, LayoutError> {
    let written = layout.write(&wave(), &[Some(content.as_bytes().to_vec())], images)?;
    Ok(String::from_utf8(written.concat()).unwrap())
}

#[test]
fn json_files_are_sorted_and_round_trip() {
    let images = testing::images(&[("b", 1), ("a", 2)]);
    let written = Layout::default().write(&wave(), &[], &images).unwrap();
    let text = String::from_utf8(written[0].clone()).unwrap();
    assert!(text.starts_with("{\n  \"a\": ") && text.ends_with("\n}\n"), "{text}");
    let contents: Vec<Option<Vec<u8>>> = written.into_iter().map(Some).collect();
    assert_eq!(Layout::default().read(&contents), Some(images));
}

#[test]
fn json_files_that_disagree_on_the_services_are_no_images() {
    assert_eq!(decode_images(br#"{"a":"x"}"#, br#"{"b":"y"}"#), None);
    assert_eq!(decode_images(br#"{"a":"x"}"#, b"[]"), None);
}

#[test]
fn a_pattern_must_name_the_wave_once_and_stay_inside() {
    assert!(Layout::new("images/{wave}/app").is_ok());
    for bad in ["images", "{wave}/{wave}", "../{wave}", "/images/{wave}"] {
        assert!(Layout::new(bad).is_err(), "{bad}");
    }
}

#[test]
fn only_json_files_are_written_whole() {
    assert!(Layout::default().overwrites());
    assert!(!kustomize().overwrites() && !helm().overwrites());
}

#[test]
fn equal_digests_under_other_tags_are_one_release_if_asked() {
    let one = testing::images(&[("a", 1)]);
    let retagged = ImageMap::new(
        one.iter().map(|(s, i)| (s.clone(), Image { tag: format!("{}x", i.tag), ..i.clone() })).collect(),
    );
    assert_ne!(one.release(), retagged.release());
    assert_eq!(ReleaseIdentity::Digests.release(&one), ReleaseIdentity::Digests.release(&retagged));
}

#[test]
fn a_kustomization_is_edited_in_place() {
    let edited = write(&kustomize(), KUSTOMIZATION, &three("v2")).unwrap();
    let changed: Vec<(&str, &str)> =
        KUSTOMIZATION.lines().zip(edited.lines()).filter(|(old, new)| old != new).collect();
    assert_eq!(changed.len(), 9, "{changed:#?}");
    assert!(edited.contains("newName: r.example.com/web # the mirror, never the hub\n"), "{edited}");
    assert!(edited.contains("newTag:  \"v2\"          # quoted, or"), "{edited}");
    assert!(edited.contains("newName: 'r.example.com/api'\n"), "{edited}");
}

#[test]
fn values_of_helm_are_edited_by_path() {
    let edited = write(&helm(), VALUES, &three("v2")).unwrap();
    assert!(edited.contains("tag: 'v2'   # set by automation\n"), "{edited}");
    assert!(edited.contains("        tag: v2\n") && edited.contains("tag: not this one"), "{edited}");
}

#[test]
fn images_that_do_not_fit_are_refused_and_the_file_is_not_to_blame() {
    let one = testing::images(&[("web", 1)]);
    let error = write(&kustomize(), KUSTOMIZATION, &one).unwrap_err();
    assert!(
        matches!(&error, LayoutError::Images { why, .. } if why.contains("also has service `api`, `worker`")),
        "{error}"
    );
    let mut more: BTreeMap<ServiceName, Image> =
        three("v1").iter().map(|(s, i)| (s.clone(), i.clone())).collect();
    more.insert("extra".parse().unwrap(), image("r.example.com/extra", "v1", 9));
    let error = write(&kustomize(), KUSTOMIZATION, &ImageMap::new(more)).unwrap_err();
    assert!(error.to_string().contains("no place for service `extra`; add one"), "{error}");
}

#[test]
fn entries_that_are_not_named_are_left_alone() {
    let names = services(&[("Site", "web")]);
    let layout = Layout::of(Form::Kustomize(names), "k/{wave}/kustomization.yaml").unwrap();
    let images = ImageMap::new([("Site".parse().unwrap(), image("r.example.com/site", "v3", 4))].into());
    let edited = write(&layout, KUSTOMIZATION, &images).unwrap();
    assert_eq!(KUSTOMIZATION.lines().zip(edited.lines()).filter(|(old, new)| old != new).count(), 3);
}

#[test]
fn what_an_edit_would_disturb_is_refused_with_its_line() {
    let head = "images:\n";
    let entry = "- name: web\n  newName: a/b\n  newTag: v1\n  digest: sha256:00\n";
    for (content, says) in [
        (format!("{head}- &x\n  name: web\n  newName: a/b\n  newTag: v1\n  digest: d\n"), "has an anchor"),
        (
            format!("{head}- name: web\n  newName: a/b\n  newTag: &t v1\n  digest: d\n"),
            "line 4 has an anchor",
        ),
        (
            format!("{head}- name: web\n  newName: a/b\n  newTag: !!str v1\n  digest: d\n"),
            "an anchor or a tag",
        ),
        (
            format!("x: &t v1\n{head}- name: web\n  newName: a/b\n  newTag: *t\n  digest: d\n"),
            "line 5 is an alias",
        ),
        (
            format!("{head}- {{name: web, newName: a/b, newTag: v1, digest: d}}\n"),
            "line 2 is written in flow style",
        ),
        ("images: [{name: web}]\n".to_owned(), "line 1 is written in flow style"),
        (format!("{head}- name: web\n  newName: a/b\n  newTag: v1\n"), "key `digest` is missing on line 2"),
        (format!("{head}- name: web\n  newName: a/b\n  newTag:\n  digest: d\n"), "is empty"),
        (
            format!("{head}- name: web\n  newName: a/b\n  newTag: |\n    v1\n  digest: d\n"),
            "is a block scalar",
        ),
        (format!("{head}- name: web\n  newName: a/b\n  newTag: v1\n    v2\n  digest: d\n"), "one line"),
        (format!("{head}- name: web\n  newName: a/b\n  newTag: v1\n  newTag: v1\n  digest: d\n"), "twice"),
        (format!("{head}{entry}---\n{head}{entry}"), "exactly one document"),
        ("a: [\n".to_owned(), "not YAML"),
        ("images: web\n".to_owned(), "not a list"),
        (String::new(), "exactly one document"),
    ] {
        let error = write(&kustomize(), &content, &testing::images(&[("web", 1)])).unwrap_err();
        assert!(
            matches!(error, LayoutError::File { .. }) && error.to_string().contains(says),
            "{content}\n{error}"
        );
    }
    let error = kustomize().write(&wave(), &[None], &three("v1")).unwrap_err();
    assert!(
        error.to_string().contains("overlays/staging/kustomization.yaml can't be edited: it isn't there"),
        "{error}"
    );
}

proptest! {
    /// Whatever the images, the line endings and the documents around: only the nine scalars change, and reading gives
    /// what was written.
    #[test]
    fn an_edit_changes_the_intended_fields_and_nothing_else(
        repository in "([a-z][a-z0-9]{0,8}\\.example\\.com|localhost:5000)/[a-z0-9]{1,8}(/[a-z][a-z0-9-]{0,6}[a-z0-9])?",
        tag in "[A-Za-z0-9_][A-Za-z0-9._-]{0,20}",
        n in 0u8..,
        crlf in any::<bool>(),
        bom in any::<bool>(),
        values in any::<bool>(),
        twice in any::<bool>(),
    ) {
        let (layout, source) = if values { (helm(), VALUES) } else { (kustomize(), KUSTOMIZATION) };
        let mut source = source.to_owned();
        if !values && twice {
            source = format!("---\nkind: Other\nname: 'x'\n---\n{source}---\n# nothing\n");
        }
        if crlf {
            source = source.replace('\n', "\r\n");
        }
        if bom {
            source.insert(0, '\u{feff}');
        }
        let service = |(name, i): (&str, u8)| {
            (name.parse().unwrap(), image(&repository, &tag, n.wrapping_add(i)))
        };
        let images = ImageMap::new(["api", "web", "worker"].into_iter().zip(0u8..).map(service).collect());
        prop_assume!(images.check().is_ok());
        let edited = write(&layout, &source, &images).unwrap();
        let read = layout.read(&[Some(edited.clone().into_bytes())]);
        prop_assert_eq!(read.as_ref(), Some(&images));
        prop_assert_eq!(&write(&layout, &edited, &images).unwrap(), &edited);
        // Parsed before and after, only the values of the nine fields differ, and around them every byte is the same.
        let (before, after) = (events(&source), events(&edited));
        prop_assert_eq!(before.len(), after.len());
        let differ: Vec<usize> = (0..before.len()).filter(|i| before[*i].0 != after[*i].0).collect();
        prop_assert!(differ.len() <= 9, "{} scalars differ", differ.len());
        let places = |all: &[(String, std::ops::Range<usize>)]| -> Vec<_> {
            differ.iter().map(|i| all[*i].1.clone()).collect()
        };
        prop_assert_eq!(without(&source, &places(&before)), without(&edited, &places(&after)));
    }
}
