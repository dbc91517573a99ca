//! Sheets as an Excel workbook: title, headings in two languages that stay in sight, numbers as numbers.

use rust_xlsxwriter::{
    ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Cell, Sheet};

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
            line: Format::new().set_font_color("#444444"),
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
    for line in &sheet.lines {
        row += 1;
        page.write_string_with_format(row, 0, line.zh.as_str(), &plain.line)?;
        if line.en != line.zh {
            row += 1;
            page.write_string_with_format(row, 0, line.en.as_str(), &plain.line)?;
        }
    }
    row += 2;
    for (at, column) in (0u16..).zip(&sheet.table.columns) {
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
