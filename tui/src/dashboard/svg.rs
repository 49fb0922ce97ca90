//! A screen as a picture: what a terminal would show, as SVG. The same screen gives the same bytes.
//!
//! Every run of cells in one style is a text of a known length, so that columns hold whatever font there is.

use ratatui::buffer::{Buffer, CellWidth};
use ratatui::style::{Color, Modifier};

/// Of a cell, in units of the picture.
const WIDE: u16 = 8;
const HIGH: u16 = 17;
const MARGIN: u16 = 12;

/// A calm dark terminal; its sixteen colours are those of the roles.
const GROUND: &str = "#16181d";
const TEXT: &str = "#d6d9de";

#[derive(Clone, PartialEq)]
struct Style {
    colour: &'static str,
    ground: Option<&'static str>,
    bold: bool,
    dim: bool,
    underlined: bool,
}

impl Style {
    fn of(foreground: Color, background: Color, modifier: Modifier) -> Self {
        let (mut colour, mut ground) = (named(foreground).unwrap_or(TEXT), named(background));
        if modifier.contains(Modifier::REVERSED) {
            (colour, ground) = (ground.unwrap_or(GROUND), Some(colour));
        }
        Self {
            colour,
            ground,
            bold: modifier.contains(Modifier::BOLD),
            dim: modifier.contains(Modifier::DIM),
            underlined: modifier.contains(Modifier::UNDERLINED),
        }
    }
}

fn named(colour: Color) -> Option<&'static str> {
    Some(match colour {
        Color::Reset => return None,
        Color::Green => "#7fc98f",
        Color::Magenta => "#d7a1e6",
        Color::Red => "#f28779",
        Color::Cyan => "#6cc7d6",
        Color::Blue => "#7aa7f0",
        Color::Yellow => "#e3c26b",
        Color::Black => "#000000",
        _ => TEXT,
    })
}

/// The picture of a screen, with words for whoever cannot see it.
pub(super) fn picture(buffer: &Buffer, words: &str) -> String {
    let area = buffer.area;
    let (width, height) = (area.width * WIDE + 2 * MARGIN, area.height * HIGH + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\" \
         font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{GROUND}\"/>\n",
        escaped(words)
    );
    for y in 0..area.height {
        for (x, columns, text, style) in runs(buffer, y) {
            let (left, top) = (MARGIN + x * WIDE, MARGIN + y * HIGH);
            if let Some(ground) = style.ground {
                let line = format!(
                    "<rect x=\"{left}\" y=\"{top}\" width=\"{}\" height=\"{HIGH}\" fill=\"{ground}\"/>",
                    columns * WIDE
                );
                out += &(line + "\n");
            }
            let bare = text.trim_end();
            if bare.is_empty() {
                continue;
            }
            let long = bare.cell_width() * WIDE;
            let mut looks = format!("fill=\"{}\"", style.colour);
            looks += if style.bold { " font-weight=\"bold\"" } else { "" };
            looks += if style.dim { " opacity=\"0.62\"" } else { "" };
            looks += if style.underlined { " text-decoration=\"underline\"" } else { "" };
            let place = format!("x=\"{left}\" y=\"{}\" textLength=\"{long}\"", top + HIGH - 4);
            out += &format!("<text {place} {looks} xml:space=\"preserve\">{}</text>\n", escaped(bare));
        }
    }
    out.push_str("</svg>\n");
    out
}

/// The runs of one style in a line: where each begins, how many columns it has, and its text.
fn runs(buffer: &Buffer, y: u16) -> Vec<(u16, u16, String, Style)> {
    let mut out: Vec<(u16, u16, String, Style)> = Vec::new();
    let mut x = 0;
    while x < buffer.area.width {
        let cell = &buffer[(x, y)];
        let (style, wide) = (Style::of(cell.fg, cell.bg, cell.modifier), cell.symbol().cell_width().max(1));
        let is_blank = |x: u16| x >= buffer.area.width || buffer[(x, y)].symbol() == " ";
        // A gap is nothing to draw, and not every program keeps it within a text.
        let gap = style.ground.is_none() && is_blank(x) && (is_blank(x + 1) || out.is_empty());
        match out.last_mut() {
            _ if gap => {}
            Some((from, columns, text, last)) if *last == style && *from + *columns == x => {
                *columns += wide;
                text.push_str(cell.symbol());
            }
            _ if cell.symbol() == " " && style.ground.is_none() => {}
            _ => out.push((x, wide, cell.symbol().to_owned(), style)),
        }
        x += wide;
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
