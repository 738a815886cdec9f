//! A table that fits any width: columns have a least and a greatest width and a rank; the least
//! important ones are left out until the rest fits, and what room is then left goes to the most
//! important ones first.

use crate::{
    paint::{self, Part},
    theme::Theme,
};
use ratatui::{buffer::Buffer, layout::Rect, text::Line};

/// How many rows are measured to find the columns' widths. The same rows at every scroll
/// position, so that columns do not jump.
const MEASURED: usize = 300;

const GAP: u16 = 2;

/// What stands in one place of a table.
pub enum Cell {
    /// Text.
    Text(Line<'static>),
    /// A bar whose whole width stands for the number.
    Bar(Vec<Part>, u64),
}

impl<T: Into<Line<'static>>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::Text(text.into())
    }
}

/// One column.
pub struct Column<'a, T> {
    head: &'static str,
    least: u16,
    most: u16,
    rank: u8,
    right: bool,
    cell: Box<dyn Fn(&T) -> Cell + 'a>,
}

/// A column between `least` and `most` wide. Columns of the lowest `rank` are left out first.
pub fn column<'a, T, C: Into<Cell>>(
    head: &'static str,
    (least, most): (u16, u16),
    rank: u8,
    cell: impl Fn(&T) -> C + 'a,
) -> Column<'a, T> {
    Column {
        head,
        least,
        most,
        rank,
        right: false,
        cell: Box::new(move |row| cell(row).into()),
    }
}

impl<T> Column<'_, T> {
    /// Sets the column's text to the right, as numbers are.
    #[must_use]
    pub fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// A table of rows.
pub struct Table<'a, T> {
    /// Its columns, from left to right.
    pub columns: Vec<Column<'a, T>>,
    /// Its rows, from top to bottom.
    pub rows: &'a [T],
    /// The row under the cursor; it is kept in sight.
    pub cursor: Option<usize>,
    /// Whether to write the columns' names.
    pub head: bool,
    /// What to say when there are no rows.
    pub empty: &'a str,
}

impl<T> Table<'_, T> {
    /// Draws it.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        if self.rows.is_empty() {
            let line = Line::styled(self.empty.to_owned(), theme.dim);
            let middle = paint::below(area, (area.height.saturating_sub(1) / 2).min(2));
            return paint::centre(&line, middle, buf);
        }
        let widths = self.widths(area.width);
        let mut body = area;
        if self.head {
            self.draw_row(area, buf, &widths, |column| {
                Cell::Text(Line::styled(column.head, theme.dim))
            });
            body = paint::below(area, 1);
        }
        let shown = usize::from(body.height);
        let top = self.cursor.map_or(0, |at| {
            at.saturating_sub(shown / 2)
                .min(self.rows.len().saturating_sub(shown))
        });
        for (i, row) in self.rows.iter().enumerate().skip(top).take(shown) {
            let place = paint::above(paint::below(body, (i - top) as u16), 1);
            self.draw_row(place, buf, &widths, |column| (column.cell)(row));
            if self.cursor == Some(i) {
                buf.set_style(place, theme.selected);
            }
        }
    }

    fn draw_row(
        &self,
        area: Rect,
        buf: &mut Buffer,
        widths: &[Option<u16>],
        cell: impl Fn(&Column<'_, T>) -> Cell,
    ) {
        let mut x = area.x;
        for (column, width) in self.columns.iter().zip(widths) {
            let Some(width) = *width else { continue };
            let place = Rect {
                x,
                width,
                height: 1,
                ..area
            }
            .intersection(area);
            match cell(column) {
                Cell::Text(line) if column.right => paint::right(&line, place, buf),
                Cell::Text(line) => paint::left(&line, place, buf),
                Cell::Bar(parts, scale) => {
                    paint::left(&paint::bar(&parts, scale, place.width), place, buf);
                }
            }
            x = x.saturating_add(width + GAP).min(area.right());
        }
    }

    /// The width of each column, or nothing where it is left out.
    fn widths(&self, room: u16) -> Vec<Option<u16>> {
        let wanted: Vec<u16> = self
            .columns
            .iter()
            .map(|column| self.wanted(column))
            .collect();
        let mut widths: Vec<Option<u16>> = self
            .columns
            .iter()
            .zip(&wanted)
            .map(|(c, &most)| Some(c.least.min(most)))
            .collect();
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        order.sort_by_key(|&i| self.columns[i].rank);
        for &i in order.iter().take(order.len().saturating_sub(1)) {
            if taken(&widths) <= u32::from(room) {
                break;
            }
            widths[i] = None;
        }
        let mut left = u32::from(room).saturating_sub(taken(&widths));
        for &i in order.iter().rev() {
            if let Some(width) = &mut widths[i] {
                let more = u32::from(wanted[i].saturating_sub(*width)).min(left);
                *width += more as u16;
                left -= more;
            }
        }
        widths
    }

    /// How wide the column would be if there were room.
    fn wanted(&self, column: &Column<'_, T>) -> u16 {
        let head = if self.head {
            paint::columns(&Line::raw(column.head))
        } else {
            0
        };
        let mut wanted = head.max(if self.head { 0 } else { 1 });
        for row in self.rows.iter().take(MEASURED) {
            wanted = wanted.max(match (column.cell)(row) {
                Cell::Text(line) => paint::columns(&line),
                Cell::Bar(..) => column.most,
            });
        }
        wanted.min(column.most.max(head))
    }
}

fn taken(widths: &[Option<u16>]) -> u32 {
    let shown = || widths.iter().flatten();
    shown().map(|&width| u32::from(width)).sum::<u32>()
        + u32::from(GAP) * (shown().count().saturating_sub(1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theme::ThemeName;

    fn drawn(width: u16, height: u16, cursor: Option<usize>) -> Vec<String> {
        let rows: Vec<(String, u64)> = (0..9)
            .map(|i| (format!("name number {i}"), i * 1_000))
            .collect();
        let table = Table {
            columns: vec![
                column("name", (6, 40), 9, |row: &(String, u64)| row.0.clone()),
                column("note", (4, 4), 1, |_| "note"),
                column("n", (4, 6), 5, |row: &(String, u64)| row.1.to_string()).right(),
            ],
            rows: &rows,
            cursor,
            head: true,
            empty: "nothing",
        };
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        table.draw(buf.area, &mut buf, ThemeName::Mono.theme());
        (0..height)
            .map(|y| (0..width).map(|x| buf[(x, y)].symbol()).collect::<String>())
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    #[test]
    fn columns_leave_by_rank() {
        assert_eq!(
            drawn(30, 2, None),
            ["name           note     n", "name number 0  note     0"]
        );
        assert_eq!(drawn(16, 2, None), ["name           n", "name numb…     0"]);
        assert_eq!(drawn(6, 2, None), ["name", "name …"]);
    }

    #[test]
    fn the_cursor_stays_in_sight() {
        assert!(drawn(30, 4, Some(8))[3].starts_with("name number 8"));
        assert!(drawn(30, 4, Some(4))[2].starts_with("name number 4"));
        assert!(drawn(30, 4, Some(0))[1].starts_with("name number 0"));
    }
}
