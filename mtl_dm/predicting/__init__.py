"""From photos and videos to one line a face: inputs, frames, faces, probabilities, pictures."""
