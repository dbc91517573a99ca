//! Sheets as an Excel workbook: title, headings in two languages that stay in sight, numbers as numbers. What is said of a table
//! stands below it, across its width: above it stands one line at most, or notes would be all that is seen.

use rust_xlsxwriter::{
    ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Cell, Column, Sheet};
use crate::planner::Words;

struct Formats {
    title: Format,
    line: Format,
    head: Format,
    text: Format,
    count: Format,
    number: Format,
    day: Format,
}

impl Formats {
    fn new(bold: bool) -> Formats {
        let cell = || {
            let cell = Format::new()
                .set_border(FormatBorder::Thin)
                .set_align(FormatAlign::VerticalCenter)
                .set_text_wrap();
            if bold { cell.set_bold().set_background_color("#EEF3F8") } else { cell }
        };
        Formats {
            title: Format::new().set_bold().set_font_size(14),
            line: Format::new()
                .set_font_color("#444444")
                .set_align(FormatAlign::Top)
                .set_text_wrap(),
            head: cell().set_bold().set_align(FormatAlign::Center).set_background_color("#D9E6F2"),
            text: cell(),
            count: cell().set_num_format("#,##0"),
            number: cell().set_num_format("#,##0.00"),
            day: cell().set_num_format("yyyy-mm-dd"),
        }
    }
}

/// The workbook of some sheets.
pub(super) fn book(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let (plain, bold) = (Formats::new(false), Formats::new(true));
    let mut book = Workbook::new();
    for sheet in sheets {
        let page = book.add_worksheet();
        page.set_name(format!("{} {}", sheet.name.zh, sheet.name.en))?;
        page.set_landscape();
        page.set_paper_size(9);
        page.set_print_fit_to_pages(1, 0);
        set(page, sheet, &plain, &bold)?;
    }
    book.save_to_buffer()
}

fn set(
    page: &mut Worksheet,
    sheet: &Sheet,
    plain: &Formats,
    bold: &Formats,
) -> Result<(), XlsxError> {
    let mut row = 0;
    let title = format!("{}  {}", sheet.title.zh, sheet.title.en);
    page.write_string_with_format(row, 0, &title, &plain.title)?;
    let columns = &sheet.table.columns;
    let width: f64 = columns.iter().map(|column| column.width).sum();
    // The answer, where it is short enough to stand in one line.
    let short = |line: &&Words| rows_of(&one_line(line), width) == 1;
    let above = sheet.lines.first().filter(short);
    if let Some(line) = above {
        row += 1;
        note(page, row, columns, &one_line(line), &plain.line)?;
    }
    row += 2;
    for (at, column) in (0u16..).zip(columns) {
        page.set_column_width(at, column.width)?;
        page.write_string_with_format(row - 1, at, column.zh.as_str(), &plain.head)?;
        page.write_string_with_format(row, at, column.en.as_str(), &plain.head)?;
    }
    page.set_freeze_panes(row + 1, 1)?;
    page.set_repeat_rows(row - 1, row)?;
    for (i, cells) in sheet.table.rows.iter().enumerate() {
        row += 1;
        let formats = if sheet.table.sums.contains(&i) { bold } else { plain };
        for (at, cell) in (0u16..).zip(cells) {
            set_cell(page, row, at, cell, formats)?;
        }
    }
    row += 1;
    for line in &sheet.lines[usize::from(above.is_some())..] {
        let both = if line.en == line.zh { vec![&line.zh] } else { vec![&line.zh, &line.en] };
        for text in both {
            row += 1;
            note(page, row, columns, text, &plain.line)?;
        }
    }
    Ok(())
}

/// A line in both languages.
fn one_line(line: &Words) -> String {
    if line.en == line.zh { line.zh.clone() } else { format!("{}  {}", line.zh, line.en) }
}

/// Height of a row of text, points.
const ROW: f64 = 15.0;
/// A row is no higher in Excel, points.
const ROW_MAX: f64 = 409.0;

/// Rows that a text takes at a width in characters; a Chinese one takes two, and a line is not filled to its end.
pub(in crate::cli::plan) fn rows_of(text: &str, width: f64) -> u32 {
    let wide = |line: &str| -> f64 {
        line.chars().map(|c| if c >= '\u{2e80}' { 2.0 } else { 1.0 }).sum::<f64>() * 1.05
    };
    let rows = |line: &str| (wide(line) / width.max(10.0)).ceil().max(1.0) as u32;
    text.lines().map(rows).sum::<u32>().max(1)
}

/// A text across the table, wrapped, as high as it takes.
fn note(
    page: &mut Worksheet,
    row: u32,
    columns: &[Column],
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    let width: f64 = columns.iter().map(|column| column.width).sum();
    match u16::try_from(columns.len()).unwrap_or(u16::MAX) {
        0 | 1 => {
            page.write_string_with_format(row, 0, text, format)?;
        }
        n => {
            page.merge_range(row, 0, row, n - 1, text, format)?;
        }
    }
    let rows = f64::from(rows_of(text, width));
    page.set_row_height(row, (rows * ROW).min(ROW_MAX))?;
    Ok(())
}

fn set_cell(
    page: &mut Worksheet,
    row: u32,
    at: u16,
    cell: &Cell,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match cell {
        Cell::Blank => page.write_blank(row, at, &formats.text)?,
        Cell::Text(text) => page.write_string_with_format(row, at, text.as_str(), &formats.text)?,
        // Excel keeps numbers as doubles: exact up to 2^53.
        Cell::Count(n) => page.write_number_with_format(row, at, *n as f64, &formats.count)?,
        Cell::Number(x) => page.write_number_with_format(row, at, *x, &formats.number)?,
        Cell::Day(year, month, day) => {
            let day = ExcelDateTime::from_ymd(*year, *month, *day)?;
            page.write_datetime_with_format(row, at, &day, &formats.day)?
        }
    };
    Ok(())
}
