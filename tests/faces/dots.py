"""Photos whose faces are five coloured dots, and the engine that finds them."""

import cv2
import numpy as np

from mtl_dm import faces

MARGIN = 0.8  # of the box around the landmarks, in distances between the eyes


def colour(face, landmark):
    return 200, 40 * (landmark + 1), 60 * (face + 1)


def place(x, y, scale=1.0, degrees=0.0):
    """The template's landmarks, turned and scaled, with their middle at (x, y)."""
    points = faces.template()
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = (points - points.mean(axis=0)) @ turn.T
    return points + np.array([x, y])


def photo(*landmarks, width=240, height=200, radius=5.0):
    """A grey photo, uint8 [height, width, 3], with a face for each array of landmarks."""
    fine = 4  # dots are placed at quarters of a pixel
    image = np.full((height * fine, width * fine, 3), 128, np.uint8)
    for face, points in enumerate(landmarks):
        for landmark, point in enumerate(points):
            x, y = ((point + 0.5) * fine - 0.5).round().astype(int).tolist()
            cv2.circle(image, (x, y), int(radius * fine), colour(face, landmark), -1)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)


def dots_engine(image, min_score):
    found = []
    for face in range(3):
        points = [_middle(image, colour(face, landmark)) for landmark in range(5)]
        score = 0.9 - face / 100
        if score >= min_score and all(point is not None for point in points):
            landmarks = np.array(points)
            margin = MARGIN * np.linalg.norm(landmarks[1] - landmarks[0])
            low, high = landmarks.min(axis=0) - margin, landmarks.max(axis=0) + margin
            found.append(faces.Face((*low.tolist(), *high.tolist()), landmarks, score))
    return found


def upright_engine(image, min_score):
    """Blind to faces that are turned by more than 45 degrees, as detectors tend to be."""
    return [face for face in dots_engine(image, min_score) if _is_upright(face)]


def _is_upright(face):
    right, down = face.landmarks[1] - face.landmarks[0]
    return right > abs(down)


def _middle(image, wanted):
    close = np.abs(image.astype(int) - wanted).max(axis=2) < 15
    y, x = np.nonzero(close)
    return (x.mean(), y.mean()) if len(x) else None


def load_dots_engine():
    """Importable by worker processes, which do not see what a test registered."""
    return dots_engine
