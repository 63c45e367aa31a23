"""The seven metrics of the NestFuse paper (Li, Wu, Durrani, IEEE TIM 2020, Tables III to V).

>>> import numpy as np
>>> from nestfuse_core.metrics import evaluate
>>> ir, vis = np.random.default_rng(0).integers(0, 256, (2, 96, 96), dtype=np.uint8)
>>> sorted(evaluate(ir, vis, ir // 2 + vis // 2))
['En', 'FMI_dct', 'FMI_w', 'MI', 'SD', 'SSIM', 'VIF']
"""

from nestfuse_core.metrics.evaluate import METRICS, PRESETS, evaluate

__all__ = ["METRICS", "PRESETS", "evaluate"]
