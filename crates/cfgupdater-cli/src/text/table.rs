//! [`Table`]: aligned columns.

use super::paint::{Colour, Paint};

/// Rows of cells, aligned by the widest cell of each column. The last cell of a row may run on beyond its column.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: Vec<Vec<Cell>>,
}

/// A text with the colour it may have; alignment counts the text alone.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), colour: None }
    }

    pub(super) fn coloured(text: impl Into<String>, colour: Option<Colour>) -> Self {
        Self { text: text.into(), colour }
    }
}

impl Table {
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Writes the rows, each indented by two spaces, with two spaces between columns and none at the end.
    pub(super) fn render(&self, paint: Paint) -> Vec<String> {
        let widths = self.widths();
        let line = |cells: &Vec<Cell>| {
            let cells = cells.iter().zip(&widths).map(|(cell, width)| {
                let fill = " ".repeat(width.saturating_sub(cell.text.chars().count()));
                format!("{}{fill}", paint.apply(cell.colour, &cell.text))
            });
            format!("  {}", cells.collect::<Vec<_>>().join("  ")).trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            let cells =
                self.rows.iter().filter(|row| column + 1 < row.len()).filter_map(|row| row.get(column));
            cells.map(|cell| cell.text.chars().count()).max().unwrap_or_default()
        };
        (0..columns).map(width).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let mut table = Table::default();
        table.row([Cell::coloured("red", Some(Colour::Bad)), Cell::new("x")]);
        table.row([Cell::new("größer"), Cell::new("y"), Cell::new("")]);
        assert_eq!(table.render(Paint::new(false)), ["  red     x", "  größer  y"]);
        assert_eq!(table.render(Paint::new(true))[0], "  \x1b[31mred\x1b[0m     x");
    }

    #[test]
    fn a_long_last_cell_moves_nothing() {
        let mut table = Table::default();
        table.row([Cell::new("a"), Cell::new("b"), Cell::new("c")]);
        table.row([Cell::new(""), Cell::new("a whole sentence")]);
        assert_eq!(table.render(Paint::new(false)), ["  a  b  c", "     a whole sentence"]);
    }
}
