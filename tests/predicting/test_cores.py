import subprocess
import sys

import cv2
import tensorflow as tf

from mtl_dm.predicting import cores

CHECK = """
import cv2
import tensorflow as tf
from mtl_dm.predicting import cores

cores.one_core_a_call()
tf.zeros(1).numpy()
print(cv2.getNumThreads(), tf.config.threading.get_intra_op_parallelism_threads())
"""


def test_each_thing_is_done_on_one_core():
    done = subprocess.run(
        [sys.executable, "-c", CHECK], check=True, capture_output=True, encoding="utf-8"
    )
    assert done.stdout.split() == ["1", "1"]


def test_a_tensorflow_that_has_begun_keeps_what_it_has():
    tf.zeros(1).numpy()
    before = tf.config.threading.get_intra_op_parallelism_threads(), cv2.getNumThreads()
    try:
        cores.one_core_a_call()
        assert tf.config.threading.get_intra_op_parallelism_threads() == before[0]
    finally:
        cv2.setNumThreads(before[1])
