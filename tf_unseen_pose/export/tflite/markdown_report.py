"""The report as a table in Markdown."""

_COLUMNS = (
    ("bytes", "MB", lambda value: f"{value / 1e6:.2f}"),
    ("render_1_thread_ms", "render, 1 thread, ms", lambda value: f"{value:.1f}"),
    ("render_2_thread_ms", "2 threads", lambda value: f"{value:.1f}"),
    ("encode_source_2_thread_ms", "encode_source, 2 threads, ms", lambda value: f"{value:.1f}"),
    ("peak_mib", "memory, MiB", lambda value: f"{value:.0f}"),
    ("largest_difference_to_run", "largest difference to TensorFlow, of -1..1", lambda value: f"{value:.1e}"),
    ("psnr", "PSNR to float32, dB", lambda value: "equal" if value >= 100 else f"{value:.1f}"),
    ("least_psnr", "least", lambda value: "equal" if value >= 100 else f"{value:.1f}"),
    ("ssim", "SSIM", lambda value: f"{value:.4f}"),
    ("vgg", "VGG error", lambda value: f"{value:.4f}"),
    ("vgg_inside", "inside the person", lambda value: f"{value:.4f}"),
    ("ssim_inside", "SSIM inside", lambda value: f"{value:.4f}"),
    ("pckh", "PCKh@0.5", lambda value: f"{value:.4f}"),
)


def as_markdown(measured: dict[str, dict[str, float]], about: dict[str, str]) -> str:
    """A row a variant; columns that nothing is known of are left out.

    Args:
        about: "pairs", what the pictures are of, and "machine".
    """
    columns = [column for column in _COLUMNS if any(column[0] in values for values in measured.values())]
    rows = [["variant", *(title for _, title, _ in columns)], ["---", *("--:" for _ in columns)]]
    for variant, values in measured.items():
        rows.append([variant, *(shown(values[key]) if key in values else "" for key, _, shown in columns)])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{table}\n\nPictures of {about['pairs']}. LiteRT with XNNPACK on {about['machine']}; medians of calls.\n"
