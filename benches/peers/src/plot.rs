//! Lines over frame sizes, as SVG.

use std::fmt::Write as _;

/// One line.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Frame size and Gbit/s.
    pub(crate) points: Vec<(String, f64)>,
}

/// Lines with one pair of axes.
#[derive(Clone, Debug)]
pub(crate) struct Panel {
    pub(crate) title: &'static str,
    pub(crate) series: Vec<Series>,
}

const WIDTH: f64 = 620.0;
const HEIGHT: f64 = 420.0;
/// Left, right (where the names stand), top, bottom.
const MARGIN: [f64; 4] = [56.0, 210.0, 40.0, 44.0];
const COLOURS: [&str; 10] = [
    "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#e377c2", "#17becf",
    "#bcbd22", "#7f7f7f",
];

/// The panels that have lines, one below another.
pub(crate) fn svg(panels: &[Panel]) -> String {
    let drawn: Vec<_> = panels
        .iter()
        .filter(|panel| !panel.series.is_empty())
        .collect();
    let height = HEIGHT * drawn.len().max(1) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (at, panel) in drawn.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate(0 {})\">", at as f64 * HEIGHT);
        draw(&mut svg, panel);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// A round number of at least `value`, a fifth of which is round too.
fn round_up(value: f64) -> f64 {
    let unit = 10f64.powf(value.max(1e-3).log10().floor());
    [1.0, 2.0, 2.5, 5.0, 10.0]
        .into_iter()
        .map(|step| step * unit)
        .find(|top| *top >= value)
        .unwrap_or(value)
}

fn draw(svg: &mut String, panel: &Panel) {
    let [left, right, top, bottom] = MARGIN;
    let (wide, high) = (WIDTH - left - right, HEIGHT - top - bottom);
    let mut sizes: Vec<&String> = Vec::new();
    for (size, _) in panel.series.iter().flat_map(|series| &series.points) {
        if !sizes.contains(&size) {
            sizes.push(size);
        }
    }
    let values = panel
        .series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point.1);
    let most = round_up(values.fold(0.0, f64::max));
    let x = |size: &str| {
        let at = sizes.iter().position(|one| *one == size).unwrap_or(0) as f64;
        left + wide * (at + 0.5) / sizes.len() as f64
    };
    let y = |value: f64| top + high * (1.0 - value / most);
    let _ = writeln!(
        svg,
        "<text x=\"{left}\" y=\"22\" font-size=\"14\">{}, Gbit/s</text>",
        panel.title
    );
    for fifth in 0..=5 {
        let value = most * f64::from(fifth) / 5.0;
        let (at, end) = (y(value), left + wide);
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" x2=\"{end}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            left - 6.0,
            at + 4.0,
        );
    }
    for size in &sizes {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{size}</text>",
            x(size),
            top + high + 18.0
        );
    }
    for (at, (series, colour)) in panel.series.iter().zip(COLOURS.iter().cycle()).enumerate() {
        let points: Vec<String> = series
            .points
            .iter()
            .map(|(size, value)| format!("{:.1},{:.1}", x(size), y(*value)))
            .collect();
        let label = top + 8.0 + 18.0 * at as f64;
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\
             <text x=\"{}\" y=\"{label}\" fill=\"{colour}\">{}</text>",
            points.join(" "),
            left + wide + 12.0,
            series.name,
        );
    }
}
