// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual NPU on a PCI bus: makes the platform device that zynpu.ko binds
 * to, with BAR 0 as its registers and the first vector as its interrupt. Holds
 * all that is known of the virtual device.
 */
#include <linux/io.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include <drm/zynpu_accel.h>

#include "zynpu_platform.h"

#define ZYNPU_PCI_VENDOR	0x1b36
#define ZYNPU_PCI_DEVICE	0x10f7

#define ZYNPU_PCI_BAR		0
#define ZYNPU_PCI_REGS		0x8000	/* NPU registers, from 0 */
/* The glue of this "SoC": its reset controller. */
#define ZYNPU_PCI_GLUE		0xa000
#define   GLUE_RESET		0x0
#define     GLUE_RESET_ASSERT	BIT(0)
#define   GLUE_MAGIC		0x4
#define     GLUE_MAGIC_VALUE	0x5a4e5055
#define   GLUE_SIZE		0x8

struct zynpu_pci {
	struct platform_device *npu;
	void __iomem *glue;
};

static int zynpu_pci_set_reset(struct device *parent, bool assert)
{
	struct zynpu_pci *zpci = dev_get_drvdata(parent);
	u32 value = assert ? GLUE_RESET_ASSERT : 0;

	writel(value, zpci->glue + GLUE_RESET);
	return readl(zpci->glue + GLUE_RESET) == value ? 0 : -ENODEV;
}

static int zynpu_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct resource *bar = &pdev->resource[ZYNPU_PCI_BAR];
	struct zynpu_platform_data pdata = {
		/* A hint, which the registers have to confirm. */
		.generation = pdev->subsystem_device,
		.is_virtual = true,
		.dma_dev = &pdev->dev,
	};
	struct resource resources[2] = {};
	struct platform_device_info info = {
		.parent = &pdev->dev,
		.name = "zynpu",
		.id = PLATFORM_DEVID_AUTO,
		.res = resources,
		.num_res = ARRAY_SIZE(resources),
		.data = &pdata,
		.size_data = sizeof(pdata),
	};
	struct zynpu_pci *zpci;
	int ret;

	if (pdata.generation < DRM_ZYNPU_Z1 || pdata.generation > DRM_ZYNPU_X2)
		return -ENODEV;
	zpci = devm_kzalloc(&pdev->dev, sizeof(*zpci), GFP_KERNEL);
	if (!zpci)
		return -ENOMEM;
	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	if (resource_size(bar) < ZYNPU_PCI_GLUE + GLUE_SIZE)
		return -ENODEV;
	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	pci_set_master(pdev);
	zpci->glue = devm_ioremap(&pdev->dev, bar->start + ZYNPU_PCI_GLUE, GLUE_SIZE);
	if (!zpci->glue)
		return -ENOMEM;
	pci_set_drvdata(pdev, zpci);
	if (readl(zpci->glue + GLUE_MAGIC) == GLUE_MAGIC_VALUE)
		pdata.set_reset = zynpu_pci_set_reset;

	ret = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);
	if (ret < 0)
		return ret;
	resources[0] = DEFINE_RES_MEM(bar->start, ZYNPU_PCI_REGS);
	resources[0].parent = bar;
	resources[1] = DEFINE_RES_IRQ(pci_irq_vector(pdev, 0));
	zpci->npu = platform_device_register_full(&info);
	if (IS_ERR(zpci->npu)) {
		pci_free_irq_vectors(pdev);
		return PTR_ERR(zpci->npu);
	}
	return 0;
}

static void zynpu_pci_remove(struct pci_dev *pdev)
{
	struct zynpu_pci *zpci = pci_get_drvdata(pdev);

	platform_device_unregister(zpci->npu);
	pci_free_irq_vectors(pdev);
}

static const struct pci_device_id zynpu_pci_ids[] = {
	{ PCI_DEVICE(ZYNPU_PCI_VENDOR, ZYNPU_PCI_DEVICE) },
	{ }
};
MODULE_DEVICE_TABLE(pci, zynpu_pci_ids);

static struct pci_driver zynpu_pci_driver = {
	.name = "zynpu-pci",
	.id_table = zynpu_pci_ids,
	.probe = zynpu_pci_probe,
	.remove = zynpu_pci_remove,
};
module_pci_driver(zynpu_pci_driver);

MODULE_DESCRIPTION("Virtual Zhouyi NPU on PCI");
MODULE_LICENSE("GPL");
