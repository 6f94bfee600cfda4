from tests.finished_run import faces, finished

__all__ = ["faces", "finished"]
