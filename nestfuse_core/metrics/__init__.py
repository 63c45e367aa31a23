"""The seven metrics of the NestFuse paper (Li, Wu, Durrani, IEEE TIM 2020, Tables III to V), and SF, AG and Qabf.

>>> import numpy as np
>>> from nestfuse_core.metrics import evaluate
>>> ir, vis = np.random.default_rng(0).integers(0, 256, (2, 96, 96), dtype=np.uint8)
>>> sorted(evaluate(ir, vis, ir // 2 + vis // 2))
['AG', 'En', 'FMI_dct', 'FMI_w', 'MI', 'Qabf', 'SD', 'SF', 'SSIM', 'VIF']
"""

from nestfuse_core.metrics.evaluate import METRICS, PAPER_METRICS, PRESETS, evaluate, evaluate_both

__all__ = ["METRICS", "PAPER_METRICS", "PRESETS", "evaluate", "evaluate_both"]
