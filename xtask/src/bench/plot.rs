//! A bar chart: the requests per second of each server as a share of the upstream's own.

use std::fmt::Write as _;

use super::results::Load;

const WIDTH: f64 = 760.0;

/// The left edge of the bars, after their names.
const LEFT: f64 = 250.0;

/// The height of a bar and its gap.
const ROW: f64 = 18.0;

/// Returns the chart.
pub(super) fn svg(loads: &[Load]) -> String {
    let mut bars = String::new();
    let mut top = 40.0;
    for load in loads {
        writeln!(
            bars,
            "<text x='8' y='{:.0}' font-weight='bold'>{}</text>",
            top + 12.0,
            load.name
        )
        .ok();
        for (server, sample) in load.servers.iter().skip(1) {
            let share = sample.requests / load.requests("direct").unwrap_or(f64::NAN);
            bar(&mut bars, top, server, share);
            top += ROW;
        }
        top += ROW / 2.0;
    }
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {top:.0}' \
         font-family='sans-serif' font-size='12'>\n\
         <rect width='100%' height='100%' fill='white'/>\n\
         <text x='8' y='20' font-size='14'>Responses per second, as a share of the upstream's own</text>\n\
         {bars}</svg>\n"
    )
}

fn bar(bars: &mut String, top: f64, server: &str, share: f64) {
    let width = share.clamp(0.0, 1.0) * (WIDTH - LEFT - 60.0);
    let color = match server {
        "tidegate" => "#0a6",
        "forward" => "#999",
        _ => "#48c",
    };
    let (middle, name, end) = (top + 12.0, LEFT - 8.0, LEFT + width + 6.0);
    writeln!(
        bars,
        "<text x='{name}' y='{middle}' text-anchor='end'>{server}</text>\
         <rect x='{LEFT}' y='{top}' width='{width:.1}' height='14' fill='{color}'/>\
         <text x='{end:.1}' y='{middle}'>{share:.3}</text>"
    )
    .ok();
}
