/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DPDK's inline functions, and its large structs, behind plain symbols. shim.h says why.
 */
#define _GNU_SOURCE
#include <rte_cycles.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "shim.h"

#if RTE_VERSION < RTE_VERSION_NUM(22, 11, 0, 0)
#error "DPDK 22.11 or newer is needed"
#endif

/* Rust reads these fields with these widths. */
#define FIELD(name) sizeof(((struct rte_mbuf *)0)->name)
_Static_assert(FIELD(buf_addr) == sizeof(void *), "rte_mbuf.buf_addr");
_Static_assert(FIELD(data_off) == 2, "rte_mbuf.data_off");
_Static_assert(FIELD(nb_segs) == 2, "rte_mbuf.nb_segs");
_Static_assert(FIELD(port) == 2, "rte_mbuf.port");
_Static_assert(FIELD(ol_flags) == 8, "rte_mbuf.ol_flags");
_Static_assert(FIELD(pkt_len) == 4, "rte_mbuf.pkt_len");
_Static_assert(FIELD(data_len) == 2, "rte_mbuf.data_len");
_Static_assert(FIELD(vlan_tci) == 2, "rte_mbuf.vlan_tci");
_Static_assert(FIELD(buf_len) == 2, "rte_mbuf.buf_len");

/* eal */

int
dpdk_shim_errno(void)
{
	return rte_errno;
}

unsigned int
dpdk_shim_lcore_id(void)
{
	return rte_lcore_id();
}

uint64_t
dpdk_shim_tsc_cycles(void)
{
	return rte_get_tsc_cycles();
}

int
dpdk_shim_lcore_has_cpu(unsigned int lcore, unsigned int cpu)
{
	rte_cpuset_t set;

	if (cpu >= CPU_SETSIZE)
		return -1;
	if (lcore >= RTE_MAX_LCORE)
		return 0;
	set = rte_lcore_cpuset(lcore);
	return CPU_ISSET(cpu, &set) ? 1 : 0;
}

static void (*log_sink)(uint32_t, const char *, size_t);
static FILE *log_stream;

static ssize_t
log_write(void *cookie, const char *text, size_t len)
{
	(void)cookie;
	log_sink((uint32_t)rte_log_cur_msg_loglevel(), text, len);
	return (ssize_t)len;
}

int
dpdk_shim_log_open(void (*sink)(uint32_t level, const char *text, size_t len))
{
	cookie_io_functions_t io = {.write = log_write};
	FILE *stream;

	log_sink = sink;
	if (log_stream != NULL)
		return 0;
	stream = fopencookie(NULL, "w", io);
	if (stream == NULL)
		return -errno;
	/* A line is a record: rte_log flushes after each message, the buffer joins its parts. */
	setvbuf(stream, NULL, _IOLBF, 1024);
	if (rte_openlog_stream(stream) != 0) {
		fclose(stream);
		return -EINVAL;
	}
	log_stream = stream;
	return 0;
}

void
dpdk_shim_log_close(void)
{
	if (log_stream == NULL)
		return;
	rte_openlog_stream(NULL);
	fclose(log_stream);
	log_stream = NULL;
}

/* mbuf */

struct rte_mbuf *
dpdk_shim_mbuf_alloc(struct rte_mempool *pool)
{
	return rte_pktmbuf_alloc(pool);
}

int
dpdk_shim_mbuf_alloc_bulk(struct rte_mempool *pool, struct rte_mbuf **mbufs, unsigned int count)
{
	return rte_pktmbuf_alloc_bulk(pool, mbufs, count);
}

void
dpdk_shim_mbuf_free(struct rte_mbuf *mbuf)
{
	rte_pktmbuf_free(mbuf);
}

int
dpdk_shim_mbuf_chain(struct rte_mbuf *head, struct rte_mbuf *tail)
{
	return rte_pktmbuf_chain(head, tail);
}

uint16_t
dpdk_shim_mbuf_refcnt(const struct rte_mbuf *mbuf)
{
	return rte_mbuf_refcnt_read(mbuf);
}

void *
dpdk_shim_mbuf_data(const struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_mtod(mbuf, void *);
}

uint16_t
dpdk_shim_mbuf_data_len(const struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_data_len(mbuf);
}

uint32_t
dpdk_shim_mbuf_pkt_len(const struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_pkt_len(mbuf);
}

uint16_t
dpdk_shim_mbuf_nb_segs(const struct rte_mbuf *mbuf)
{
	return mbuf->nb_segs;
}

uint16_t
dpdk_shim_mbuf_headroom(const struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_headroom(mbuf);
}

uint16_t
dpdk_shim_mbuf_tailroom(const struct rte_mbuf *mbuf)
{
	return rte_pktmbuf_tailroom(mbuf);
}

uint16_t
dpdk_shim_mbuf_port(const struct rte_mbuf *mbuf)
{
	return mbuf->port;
}

uint64_t
dpdk_shim_mbuf_ol_flags(const struct rte_mbuf *mbuf)
{
	return mbuf->ol_flags;
}

uint16_t
dpdk_shim_mbuf_vlan_tci(const struct rte_mbuf *mbuf)
{
	return mbuf->vlan_tci;
}

/* queues */

uint16_t
dpdk_shim_rx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_rx_burst(port, queue, mbufs, count);
}

uint16_t
dpdk_shim_tx_burst(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
	return rte_eth_tx_burst(port, queue, mbufs, count);
}

/* ports */

int
dpdk_shim_port_info(uint16_t port, struct dpdk_shim_port_info *info)
{
	struct rte_eth_dev_info dev;
	int ret = rte_eth_dev_info_get(port, &dev);

	if (ret != 0)
		return ret;
	memset(info, 0, sizeof(*info));
	info->driver_name = dev.driver_name;
	if (dev.device != NULL) {
		const struct rte_bus *bus = rte_dev_bus(dev.device);

		info->device_name = rte_dev_name(dev.device);
		info->bus_name = bus != NULL ? rte_bus_name(bus) : NULL;
	}
	info->socket_id = rte_eth_dev_socket_id(port);
	info->min_rx_bufsize = dev.min_rx_bufsize;
	info->max_rx_pktlen = dev.max_rx_pktlen;
	info->min_mtu = dev.min_mtu;
	info->max_mtu = dev.max_mtu;
	info->max_rx_queues = dev.max_rx_queues;
	info->max_tx_queues = dev.max_tx_queues;
	if (dev.dev_flags != NULL) {
		info->lsc_interrupt = (*dev.dev_flags & RTE_ETH_DEV_INTR_LSC) != 0;
		info->removal_interrupt = (*dev.dev_flags & RTE_ETH_DEV_INTR_RMV) != 0;
	}
	info->rx_scatter = (dev.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
	info->tx_multi_segs = (dev.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
	return 0;
}

int
dpdk_shim_port_configure(uint16_t port, const struct dpdk_shim_port_conf *conf)
{
	struct rte_eth_dev_info dev;
	struct rte_eth_conf eth;
	int ret = rte_eth_dev_info_get(port, &dev);

	if (ret != 0)
		return ret;
	memset(&eth, 0, sizeof(eth));
	eth.rxmode.mtu = conf->mtu;
	eth.rxmode.offloads = conf->rx_scatter ? RTE_ETH_RX_OFFLOAD_SCATTER : 0;
	eth.txmode.offloads = conf->tx_multi_segs ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
	eth.intr_conf.lsc = conf->lsc_interrupt ? 1 : 0;
	eth.intr_conf.rmv = conf->removal_interrupt ? 1 : 0;
	if (conf->rx_queues > 1 && dev.flow_type_rss_offloads != 0) {
		eth.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		eth.rx_adv_conf.rss_conf.rss_hf =
			dev.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
	return rte_eth_dev_configure(port, conf->rx_queues, conf->tx_queues, &eth);
}

int
dpdk_shim_port_descriptors(uint16_t port, uint16_t *rx, uint16_t *tx)
{
	return rte_eth_dev_adjust_nb_rx_tx_desc(port, rx, tx);
}

int
dpdk_shim_port_rx_queue(uint16_t port, uint16_t queue, uint16_t descriptors, struct rte_mempool *pool,
			int scatter)
{
	struct rte_eth_dev_info dev;
	int ret = rte_eth_dev_info_get(port, &dev);

	if (ret != 0)
		return ret;
	dev.default_rxconf.offloads = scatter ? RTE_ETH_RX_OFFLOAD_SCATTER : 0;
	return rte_eth_rx_queue_setup(port, queue, descriptors, (unsigned int)rte_eth_dev_socket_id(port),
				      &dev.default_rxconf, pool);
}

int
dpdk_shim_port_tx_queue(uint16_t port, uint16_t queue, uint16_t descriptors, int multi_segs)
{
	struct rte_eth_dev_info dev;
	int ret = rte_eth_dev_info_get(port, &dev);

	if (ret != 0)
		return ret;
	dev.default_txconf.offloads = multi_segs ? RTE_ETH_TX_OFFLOAD_MULTI_SEGS : 0;
	return rte_eth_tx_queue_setup(port, queue, descriptors, (unsigned int)rte_eth_dev_socket_id(port),
				      &dev.default_txconf);
}

int
dpdk_shim_port_remove(uint16_t port)
{
	struct rte_eth_dev_info dev;
	struct rte_device *device;
	int ret = rte_eth_dev_info_get(port, &dev);

	if (ret != 0)
		return ret;
	device = dev.device;
	ret = rte_eth_dev_close(port);
	if (device == NULL)
		return ret;
	return rte_dev_remove(device);
}

int
dpdk_shim_port_stats(uint16_t port, struct dpdk_shim_port_stats *stats)
{
	struct rte_eth_stats eth;
	int ret = rte_eth_stats_get(port, &eth);

	if (ret != 0)
		return ret;
	stats->ipackets = eth.ipackets;
	stats->opackets = eth.opackets;
	stats->ibytes = eth.ibytes;
	stats->obytes = eth.obytes;
	stats->imissed = eth.imissed;
	stats->ierrors = eth.ierrors;
	stats->oerrors = eth.oerrors;
	stats->rx_nombuf = eth.rx_nombuf;
	return 0;
}

int
dpdk_shim_port_link(uint16_t port, struct dpdk_shim_link *link)
{
	struct rte_eth_link eth;
	int ret;

	memset(&eth, 0, sizeof(eth));
	ret = rte_eth_link_get_nowait(port, &eth);
	if (ret != 0)
		return ret;
	link->speed_mbps = eth.link_speed;
	link->up = eth.link_status == RTE_ETH_LINK_UP;
	link->full_duplex = eth.link_duplex == RTE_ETH_LINK_FULL_DUPLEX;
	link->autoneg = eth.link_autoneg == RTE_ETH_LINK_AUTONEG;
	return 0;
}

int
dpdk_shim_port_mac(uint16_t port, uint8_t mac[6])
{
	struct rte_ether_addr address;
	int ret = rte_eth_macaddr_get(port, &address);

	if (ret == 0)
		memcpy(mac, address.addr_bytes, sizeof(address.addr_bytes));
	return ret;
}

int
dpdk_shim_port_flow_control_off(uint16_t port)
{
	struct rte_eth_fc_conf conf;
	int ret;

	memset(&conf, 0, sizeof(conf));
	/* The driver's own water marks and timers are kept: some drivers refuse zeros. */
	ret = rte_eth_dev_flow_ctrl_get(port, &conf);
	if (ret != 0)
		return ret;
	if (conf.mode == RTE_ETH_FC_NONE)
		return 0;
	conf.mode = RTE_ETH_FC_NONE;
	return rte_eth_dev_flow_ctrl_set(port, &conf);
}
