//! Where everything stands, from the size of the terminal alone: `update` pages by it and `view` draws by it.

use ratatui::layout::Rect;

/// Columns and lines. Below this the dashboard says so instead of drawing.
pub const SMALLEST: (u16, u16) = (60, 16);

/// Whether the dashboard has room in so many columns and lines.
pub fn is_large_enough((columns, lines): (u16, u16)) -> bool {
    columns >= SMALLEST.0 && lines >= SMALLEST.1
}

/// From here on the entry stands beside the list.
const BESIDE: u16 = 120;

/// And the causes of the overview beside its counts.
const SPLIT: u16 = 80;

/// The areas of a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) header: Rect,
    pub(crate) notice: Rect,
    pub(crate) tabs: Rect,
    pub(crate) progress: Rect,
    /// Everything between the progress line and the message line.
    pub(crate) body: Rect,
    pub(crate) columns: Rect,
    pub(crate) list: Rect,
    pub(crate) detail: Rect,
    pub(crate) beside: bool,
    pub(crate) message: Rect,
    pub(crate) keys: Rect,
}

/// The areas for a terminal of this size, with so many lines of message and notice; `None` where it is too small.
pub(crate) fn layout(size: (u16, u16), message: u16, notice: bool) -> Option<Layout> {
    let (width, height) = size;
    if !is_large_enough(size) {
        return None;
    }
    let mut y = 0;
    let mut take = |lines: u16| {
        let area = Rect { x: 0, y, width, height: lines };
        y += lines;
        area
    };
    let header = take(1);
    let notice = take(u16::from(notice));
    let tabs = take(8u16.div_ceil(tabs_in_a_line(width)));
    let progress = take(1);
    let above = header.height + notice.height + tabs.height + progress.height;
    let message = message.clamp(1, 3);
    let body = take(height - above - message - 1);
    let (message, keys) = (take(message), take(1));
    let beside = width >= BESIDE;
    let (left, detail) = if beside {
        let aside = (width * 7 / 20).clamp(42, 76);
        let left = Rect { width: width - aside - 1, ..body };
        (left, Rect { x: left.width + 1, width: aside, ..body })
    } else {
        let below = (body.height * 9 / 20).clamp(3, 15);
        let left = Rect { height: body.height - below, ..body };
        (left, Rect { y: left.bottom(), height: below, ..body })
    };
    let columns = Rect { height: 1, ..left };
    let list = Rect { y: left.y + 1, height: left.height.saturating_sub(1), ..left };
    Some(Layout { header, notice, tabs, progress, body, columns, list, detail, beside, message, keys })
}

impl Layout {
    /// Whether the overview has its causes beside its counts.
    pub(crate) fn splits_overview(&self) -> bool {
        self.header.width >= SPLIT
    }
}

/// How many groups stand side by side: the eye finds them in columns.
pub(crate) fn tabs_in_a_line(width: u16) -> u16 {
    match width {
        144.. => 8,
        68..144 => 4,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_leaves_room_for_a_list_and_nothing_overlaps() {
        for width in SMALLEST.0..260 {
            for height in SMALLEST.1..120 {
                for message in 0..5 {
                    let Some(it) = layout((width, height), message, message % 2 == 0) else {
                        panic!("{width}x{height}")
                    };
                    assert!(it.list.height >= 2, "{width}x{height}");
                    assert_eq!(it.keys.bottom(), height);
                    assert_eq!(it.message.bottom(), it.keys.y);
                    assert!(it.list.bottom() <= it.message.y && it.detail.bottom() == it.message.y);
                    assert!(it.list.intersection(it.detail).is_empty());
                }
            }
        }
        assert_eq!(layout((59, 50), 1, false), None);
        assert_eq!(layout((80, 15), 1, false), None);
    }
}
