"""Photos and videos: reading, cropping, resampling, pasting back, drawing, writing."""
