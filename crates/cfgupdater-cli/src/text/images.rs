//! Built images as text.

use cfgupdater_image_builder::{BuiltImage, Change};

use super::paint::{Colour, Paint};
use super::short;
use super::table::{Cell, Table};

/// Shows one image in one line, as it is done.
pub(crate) fn built_image(image: &BuiltImage) -> String {
    let digest = short(image.digest.hex());
    format!("{}: {} {digest}{}", image.name, image.change.as_str(), sent(image))
}

/// Shows all images, and how many of them changed.
pub(crate) fn built_images(images: &[BuiltImage], paint: Paint) -> String {
    let mut table = Table::default();
    for image in images {
        let change = Cell::coloured(image.change.as_str(), Some(colour(image.change)));
        table.row([Cell::new(&image.name), change, Cell::new(image.image().digest)]);
    }
    let mut lines = table.render(paint);
    let kept = images.iter().filter(|image| image.change == Change::Unchanged).count();
    let bytes: u64 = images.iter().map(|image| image.bytes_sent).sum();
    lines.push(format!("{kept} of {} images kept their digest; {} sent", images.len(), size(bytes)));
    lines.join("\n")
}

fn colour(change: Change) -> Colour {
    match change {
        Change::Unchanged => Colour::Faint,
        Change::Replaced => Colour::Bad,
        _ => Colour::Good,
    }
}

fn sent(image: &BuiltImage) -> String {
    if image.blobs_sent == 0 { String::new() } else { format!(", {} sent", size(image.bytes_sent)) }
}

/// Writes a number of bytes as people do.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes / 100 % 10),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!([999, 1_000, 1_050_000].map(size), ["999 bytes", "1.0 kB", "1.0 MB"]);
    }
}
